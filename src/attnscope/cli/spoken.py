"""What the command line says in its user's language: help, errors, and what it tells beside its results.

Of the help, texts stand in English beside what they are about: a paragraph is a message; an example stays as it is.
"""

import logging
import re
import sys
from collections.abc import Iterator
from typing import Any

import typer.rich_utils

from attnscope.translation import in_locale, locale_language, say, speaking, told

# Commands to type, and the list of formats, which is made from the table of renderers.
_EXAMPLE = re.compile(r"\s*attnscope \w|\s*Write \.")
_FORMATS = re.compile(r"Write ([.\w, ]+) or (\.\w+)\. Default: print in the terminal\.")


def sentences(command: Any) -> Iterator[str]:
    """The paragraphs of a command's help and of the commands and options in it."""
    for holder in _holders(command):
        for name in _TEXTS:
            for paragraph in re.split(r"\n\n", getattr(holder, name, None) or ""):
                if paragraph.strip() and not _EXAMPLE.match(paragraph):
                    yield " ".join(paragraph.split())


def translate(command: Any) -> None:
    """Sets the help of a command, and of what is in it, to the language that is spoken."""
    for name in ("ARGUMENTS", "OPTIONS", "COMMANDS"):
        setattr(typer.rich_utils, f"{name}_PANEL_TITLE", say(name.capitalize()))
    for holder in _holders(command):
        for name in _TEXTS:
            if text := getattr(holder, name, None):
                setattr(holder, name, "\n\n".join(_said(paragraph) for paragraph in re.split(r"\n\n", text)))


_TEXTS = ("help", "short_help", "epilog")


def _said(paragraph: str) -> str:
    if formats := _FORMATS.fullmatch(" ".join(paragraph.split())):
        return told(f"Write {formats[1]} or {formats[2]}. Default: print in the terminal.")
    return paragraph if _EXAMPLE.match(paragraph) else told(" ".join(paragraph.split()))


def _holders(command: Any) -> Iterator[Any]:
    yield command
    yield from command.params
    for one in getattr(command, "commands", {}).values():
        yield from _holders(one)


def tell(message: str, /, **values: object) -> None:
    """A line on standard error. message: a key of the catalogue, with the places of its values."""
    with speaking(locale_language()):
        sys.stderr.write(f"attnscope: {say(message, **values)}\n")


def tell_sentence(sentence: str) -> None:
    """A line that was said elsewhere: an error, advice."""
    sys.stderr.write(f"attnscope: {in_locale(sentence)}\n")


class Lines(logging.Formatter):
    """Of the log: lines like the others, in the user's language."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and where an error in it came from."""
        shown = super().format(record)
        said = record.getMessage()
        return f"attnscope: {in_locale(said)}{shown.removeprefix(said)}"
