"""Standard output in whatever encoding the console has: what it lacks is replaced readably, and JSON is UTF-8."""

import codecs
import io
import sys
import unicodedata

# What our own tables and messages use, in ASCII.
_ASCII = str.maketrans(
    {"–": "-", "—": "-", "−": "-", "…": "...", "×": "x", "·": ".", "→": "->", "←": "<-", "“": '"', "”": '"', "’": "'",
     "±": "+-", "≥": ">=", "≤": "<=", "│": "|", "─": "-", "Σ": "sum", "█": "#", "▉": "#", "▊": "#", "▋": "#", "▌": "=",
     "▍": "=", "▎": "-", "▏": "-", "■": "#", "▇": "#"}
)  # fmt: skip


def _readably(error: UnicodeError) -> tuple[str, int]:
    """A codecs error handler: the ASCII that looks alike, letters without their accents, else an escape."""
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    return "".join(_in_ascii(character) for character in lacking), error.end


def _in_ascii(character: str) -> str:
    plain = unicodedata.normalize("NFKD", character.translate(_ASCII)).encode("ascii", "ignore").decode()
    return plain or character.encode("ascii", "backslashreplace").decode()


def never_fail_to_print(*, json: bool) -> None:
    """Have standard output and error take every character; `json`: standard output is UTF-8."""
    codecs.register_error("attnscope.readably", _readably)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="attnscope.readably")
    if json and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="strict")
