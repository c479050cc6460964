"""What many photos together show: from a zip to a report.

archive   a zip of photos, whoever made it: nothing of it is ever written under its names
results   what single photos came to, and the bytes that is kept as
report    all of them summed up
"""
