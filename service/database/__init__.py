"""Rows: tables, the connection to them, and the migrations that make them.

tables      what is kept of videos, segments and executors
clock       what time it is where they are
connection  opens the database and brings its tables up to date
migrations  Alembic's; one file a change
"""
