"""Jobs: taken in by the front, worked on by workers, kept as rows and objects.

job        what is known of a job; keys of its objects
promises   who is to be told of its end
ledger     its row, as the front reads and changes it
queue      which rows go to the workers, and come back
backlog    how much video is to be looked at
turns      whose turn it is
claims     its row and segments, as the worker that holds it changes them
executors  which workers are alive
brokers    whether Kafka answers, where jobs are asked for by messages
opened     all of these, and the objects, for the data folder that is used
accepted   what the input of a kind may be
requests   a job about what lies elsewhere, and what may be set of a job
inputs     what jobs are about, as files of this machine
uploads    what is worked on, while it arrives
signs      signs that it is still arriving
opener     opens the desk when it is first needed
desk       what HTTP calls: takes jobs in, tells of them, ends and erases them
photos     of a set, wherever they lie
analysis   jobs analysed in this process; late_analyses, not before there is one;
           photo_set_analysis, those of photos
work       one job's work, stage by stage
patience   tries again where storage fails
workflow   the same as a workflow of DBOS: queued, resumed, retried
schedules  which prefixes are looked at when, and what of them has become a job
scheduler  looks at them, and makes jobs; schedule_desk, what HTTP calls
steward    what has to be done again and again: hand out, take up, sweep, erase
vigil      how long others were seen: after an outage nobody is dead
errors     what can be wrong
"""
