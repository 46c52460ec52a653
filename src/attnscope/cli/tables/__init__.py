"""Many texts on the command line: tables and lines in, tables and pages out."""
