"""Options that several commands share, where their text comes from, and where their result goes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from attnscope.attribution import Attribution
from attnscope.errors import TextError
from attnscope.render import Result, checked_path, print_result, save

Text = Annotated[
    str | None, typer.Argument(help="The text. Without it: --file, or standard input.", show_default=False)
]
File = Annotated[
    Path | None, typer.Option("--file", "-f", help="Read the text from a UTF-8 file (one final line break is dropped).")
]
ModelName = Annotated[
    str | None,
    typer.Option("--model", "-m", help="Hub id, checkpoint folder or .gguf file. Default: SmolLM2-135M-Instruct."),
]
Revision = Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub model.")]
Dtype = Annotated[str | None, typer.Option(help="float32, bfloat16 or float16. Default: as the checkpoint was saved.")]
Device = Annotated[str | None, typer.Option(help="Where the model runs: cpu, cuda, mps, auto. Default: cpu.")]
RemoteCode = Annotated[bool, typer.Option("--trust-remote-code", help="Run the code that a hub model brings.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="Write .html, .png, .svg, .pdf, .json or .txt. Default: print in the terminal."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Chat = Annotated[
    bool,
    typer.Option("--chat", help="The text is a user's message in the model's chat template (kept out of the picture)."),
]
Truncate = Annotated[bool, typer.Option("--truncate", help="Cut a text that is longer than the model's positions.")]
LineChars = Annotated[
    int | None,
    typer.Option("--max-line-chars", min=1, help="Characters in a line of .html and of figures. Default: 80."),
]
Font = Annotated[
    str | None, typer.Option(help="Font file or family for figures, for example an installed Japanese one.")
]
FontSize = Annotated[float | None, typer.Option(min=1, help="Size of the text.")]
Dark = Annotated[bool, typer.Option("--dark", help="Dark background.")]
Debug = Annotated[bool, typer.Option("--debug", help="On an error, show where it came from.")]


def read_text(text: str | None, file: Path | None) -> str:
    """The text of the argument, of the file or of standard input. Raises TextError, saying which and what is wrong."""
    if text is not None and file is not None:
        raise TextError("both a text and --file were given; give one of them")
    if text is not None:
        return text
    if file is None and sys.stdin.isatty():
        raise TextError("no text was given; write it after the command, name a --file, or pipe it in")
    name = "standard input" if file is None else str(file)
    try:
        raw = sys.stdin.buffer.read() if file is None else file.read_bytes()
    except OSError as error:
        raise TextError(f"cannot read {name}: {error.strerror}") from error
    try:
        decoded = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextError(f"{name} is not UTF-8 text (byte {error.start}); convert it, or name a text file") from error
    if "\0" in decoded:
        raise TextError(f"{name} is not text: it has a NUL character at position {decoded.index(chr(0))}")
    return decoded.removesuffix("\n").removesuffix("\r")


def number(value: str) -> int | str:
    """An index, or the word that stands for none."""
    try:
        return int(value)
    except ValueError:
        return value


def query(value: str) -> int | str:
    """A token's index, or a word of the text; "word:7" is the word 7."""
    return value.removeprefix("word:") if value.startswith("word:") else number(value)


def check_output(output: Path | None, kind: type[Result] = Attribution) -> None:
    """Refuse an output that cannot be written before the model has worked for it."""
    if output is not None:
        checked_path(output, kind)


def show(
    result: Result,
    output: Path | None,
    json: bool,
    line_chars: int | None = None,
    font: str | None = None,
    font_size: float | None = None,
    dark: bool = False,
) -> None:
    """Write, print or draw the result, as the options say."""
    if output is not None:
        given = {"max_line_chars": line_chars, "font": font, "font_size": font_size, "dark": dark or None}
        path = save(result, output, **{name: value for name, value in given.items() if value is not None})
        sys.stderr.write(f"attnscope: wrote {path}\n")
    if json:
        sys.stdout.write(result.to_json() + "\n")
    elif output is None:
        print_result(result)
