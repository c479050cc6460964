"""Traces: where the time of a request or a job goes, told to a collector of the operator's.

spans           what is told, and by whom
open_telemetry  OpenTelemetry's SDK, imported where traces are on, only
set_up          whether they are

A span says what was done, how long it took and how it failed: never a name, an address, a URI, a
caller's own words, or what a face shows.
"""
