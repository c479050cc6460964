"""Tells of the end of jobs: what was promised (``service.jobs.promises``) is sent from here.

events      what is told
deliveries  the rows of what is to be told: who may send one, when it is tried again
courier     goes round: takes what is due, has it sent, notes what came of it
targets     where a webhook may go
signatures  how a webhook says that it is ours
webhooks    sends them
"""
