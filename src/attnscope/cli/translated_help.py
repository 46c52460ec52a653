"""The help of the command line in the user's language: texts stand in English beside what they are about.

A paragraph is a message; an example stays as it is.
"""

import re
from collections.abc import Iterator
from typing import Any

import typer.rich_utils

from attnscope.translation import say, told

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
