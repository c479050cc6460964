"""A report as a file: JSON for programs, CSV for spreadsheets, HTML for people."""
