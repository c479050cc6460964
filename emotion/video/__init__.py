"""What a video shows, and when: from a file to a report.

    video   file -> segments -> frames -> detect -> align -> classify      (each segment alone)
                 -> tracks -> timelines -> engagement -> report            (all of them together)

A segment is analysed without knowing the others, and gives the same result each time, so a job
may stop between two and go on later, elsewhere. What needs all of them comes after, in one pass.

Times are seconds from the video's own beginning, as players show them. Places are pixels of the
upright frame.
"""
