"""`python -m attnscope` is the command line."""

from attnscope.cli import main

main()
