"""`attnscope` and `python -m attnscope`: the command line, or one line about what it cannot even start without."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from attnscope.cli import main as command_line
    except ImportError as error:
        if (error.name or "").startswith("attnscope"):
            raise
        sys.exit(f"attnscope: {error}: pip install attnscope gets what is missing")
    command_line()


if __name__ == "__main__":
    main()
