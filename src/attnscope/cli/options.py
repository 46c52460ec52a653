"""Options that several commands share: where the text comes from, how to load the model, where the result goes."""

import json as json_module
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cached_property
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import attnscope
from attnscope.cli.spoken import tell
from attnscope.errors import InputError, TextError
from attnscope.render import FORMATS, RENDERERS, Result, checked_path, print_result, save
from attnscope.results.attribution import Attribution
from attnscope.text.messages import MessagesFile, is_json_of_a_chat, read_messages, without_last_line_break

_log = logging.getLogger(__name__)

Text = Annotated[str | None, typer.Argument(help="The text. Default: --file or standard input.", show_default=False)]
File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        help="Read the text from a UTF-8 file (one final line break is dropped, but for a rendered chat's).",
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option("--model", "-m", help="Hub id, checkpoint folder or .gguf file. Default: SmolLM2-135M-Instruct."),
]
# A file of these is a table of texts.
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson")


def formats(*kinds: type[Result]) -> str:
    """A help text: the suffixes that these results can be written with."""
    *most, last = (suffix for suffix in FORMATS if any(suffix in RENDERERS[kind] for kind in kinds))
    return f"Write {', '.join(most)} or {last}. Default: print in the terminal."


Output = Annotated[Path | None, typer.Option("--output", "-o", help=formats(Attribution))]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Chat = Annotated[
    bool,
    typer.Option(
        "--chat",
        help="Put the text into the model's chat template as a user's message (the template stays out of the picture).",
    ),
]
Messages = Annotated[
    Path | None,
    typer.Option(
        "--messages",
        help='A chat instead of a text: a JSON file with [{"role": "user", "content": "…"}, …], or - for standard '
        "input. A reply at its end is what is explained.",
    ),
]
Tools = Annotated[
    str | None, typer.Option("--tools", help="The tools of the chat: JSON schemas, as JSON or in a JSON file.")
]
TemplateVariables = Annotated[
    str | None,
    typer.Option(
        "--chat-template-kwargs",
        help='Other variables of the chat template, as JSON or in a JSON file: {"enable_thinking": false}.',
    ),
]
Linear = Annotated[
    bool,
    typer.Option(
        "--linear",
        help="Of layers of linear attention or Mamba 2 (Qwen3-Next, Kimi Linear, Granite 4): the token × token matrix "
        "that they compute without forming it. Signed weights, no shares.",
    ),
]
Truncate = Annotated[bool, typer.Option("--truncate", help="Cut off a text that is too long for the model.")]
Window = Annotated[
    int | None,
    typer.Option(help="Read a text of any length in overlapping windows of at most so many tokens, such as 512."),
]
Font = Annotated[str | None, typer.Option(help="Font file or installed family for figures, such as a Japanese one.")]
Dark = Annotated[bool, typer.Option("--dark", help="Dark background.")]
Debug = Annotated[bool, typer.Option("--debug", help="On an error, show where it came from.")]


@dataclass(frozen=True)
class Source:
    """The text and how to read it."""

    text: Text = None
    file: File = None
    messages: Messages = None
    tools: Tools = None
    chat_template_kwargs: TemplateVariables = None
    pair: Annotated[
        str | None,
        typer.Option("--pair", help="A second text that the model reads with the first, such as a question's passage."),
    ] = None
    chat: Chat = False
    truncate: Truncate = False
    window: Window = None
    lines: Annotated[
        bool, typer.Option("--lines", help="Many texts, one a line. A .csv, .tsv or .jsonl --file is many texts too.")
    ] = False
    text_column: Annotated[
        str | None, typer.Option(help="Of a table: the column, or JSON key, of the texts. Default: text.")
    ] = None
    target_column: Annotated[
        str | None, typer.Option(help="Of a table: the column of the targets. Default: target, if there is one.")
    ] = None
    pair_column: Annotated[
        str | None,
        typer.Option(help="Of a table: the column of the second texts. Default: text_pair, if there is one."),
    ] = None
    id_column: Annotated[
        str | None, typer.Option(help="Of a table: what rows are called. Default: id, or a hash of the text.")
    ] = None

    @property
    def many(self) -> bool:
        """Whether there are many texts."""
        table = self.file is not None and self.file.suffix.lower() in TABLES
        return self.lines or table or bool(self.text_column or self.target_column or self.pair_column or self.id_column)

    def read(self) -> str | list[dict[str, Any]]:
        """The text, or the messages of a chat. Raises TextError or InputError where there are none to be read."""
        if self.many:
            raise TextError("this command takes one text: pipe it in, or use explain, gradient, attention or flow")
        return read_text(self.text, self.file) if self.messages is None else self._chat.messages

    def reading(self) -> dict[str, Any]:
        """How it is read: the parameters of that name, where they were given."""
        tools = None if self.tools is None else json_value(self.tools, "--tools")
        variables = self.chat_template_kwargs
        kwargs = None if variables is None else json_value(variables, "--chat-template-kwargs")
        if self.messages is not None:
            tools, kwargs = tools or self._chat.tools, kwargs or self._chat.chat_template_kwargs
        given = {
            "chat": self.chat, "truncate": self.truncate, "window": self.window, "tools": tools,
            "chat_template_kwargs": kwargs, "text_pair": self.pair,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value not in (None, False)}

    @cached_property
    def _chat(self) -> MessagesFile:
        if self.text is not None or self.file is not None:
            raise InputError("both a text and --messages were given; give one of them")
        if str(self.messages) == "-":
            return read_messages(_read(None), "standard input")
        assert self.messages is not None
        return read_messages(_read(self.messages.expanduser()), str(self.messages))


@dataclass(frozen=True)
class Placing:
    """How a model is loaded."""

    dtype: Annotated[
        Literal["float32", "bfloat16", "float16", "float64", "auto"] | None,
        typer.Option(help="The type of the weights. Default: as saved."),
    ] = None
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps or auto. Default: what is there.")] = None
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub model.")] = None
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that ships with a hub model.")
    ] = False
    pooling: Annotated[
        Literal["mean", "cls", "max", "last"] | None,
        typer.Option(help="How an encoder makes one vector of a text. Default: as sentence-transformers saved it."),
    ] = None
    debug: Debug = False  # read by main, which reports errors

    def load_named(self, name: str | None) -> Any:
        """Load a model. Raises InputError for a device that is not there."""
        if self.device is not None:
            _check_device(self.device)
        device = self.device or _default_device()
        return attnscope.load(
            name,
            device_map=None if device == "cpu" else device,
            dtype=self.dtype,
            revision=self.revision,
            trust_remote_code=self.trust_remote_code,
            pooling=self.pooling,
        )


@dataclass(frozen=True)
class _Named:
    model: ModelName = None


@dataclass(frozen=True)
class Loading(Placing, _Named):
    """The model and how to load it."""

    def load(self, name: str | None = None) -> Any:
        """Load the model, or another one with the same options. Raises InputError for a device that is not there."""
        return self.load_named(name or self.model)


@dataclass(frozen=True)
class Picture:
    """How pages and figures look."""

    font: Font = None
    dark: Dark = False
    width: Annotated[
        str | None,
        typer.Option(help="Of a figure for a paper: column (3.25 inches), page (6.75) or a number of inches."),
    ] = None
    height: Annotated[float | None, typer.Option(help="Of a figure for a paper, in inches.")] = None
    no_caption: Annotated[bool, typer.Option("--no-caption", help="Figures without title, facts and notes.")] = False
    lang: Annotated[
        Literal["en", "ja"] | None,
        typer.Option(
            help="The language of a page or a figure: en or ja. Default: a page's is that of its reader's browser, a "
            "figure's English."
        ),
    ] = None
    no_legend: Annotated[bool, typer.Option("--no-legend", help="Figures without the colours' key.")] = False

    def given(self) -> dict[str, Any]:
        """The options that were given, as `save` takes them."""
        own = {name: value for name, value in asdict(self).items() if value is not None and value is not False}
        left_out = {name.removeprefix("no_"): False for name in own if name.startswith("no_")}
        return {name: value for name, value in own.items() if not name.startswith("no_")} | left_out


@dataclass(frozen=True)
class Look(Picture):
    """The same of what draws a text."""

    max_line_chars: Annotated[
        int | None, typer.Option(min=1, help="Characters per line in .html and figures. Default: 80.")
    ] = None
    font_size: Annotated[float | None, typer.Option(min=1, help="Text size.")] = None


def _default_device() -> str:
    """The fastest device of this machine."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _check_device(device: str) -> None:
    """Raises InputError for a device that torch does not know, or that this machine does not have."""
    import torch

    if device == "auto":
        return
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise InputError(f"--device {device!r} is not known: choose cpu, cuda, mps or auto") from error
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(kind, True):
        raise InputError(f"--device {device}: torch finds no {kind} device on this machine; leave it out, or give cpu")


def expanded(command: Callable[..., None]) -> Callable[..., None]:
    """The command as typer needs it: each parameter that is a group above becomes the group's fields."""
    groups: dict[str, Any] = {}
    parameters: list[Parameter] = []
    for name, parameter in signature(command).parameters.items():
        own = [parameter]
        if is_dataclass(parameter.annotation):
            groups[name] = parameter.annotation
            own = [
                Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default, annotation=f.type)
                for f in fields(groups[name])
            ]
        parameters += [one.replace(kind=Parameter.KEYWORD_ONLY) for one in own]

    def called(**given: Any) -> None:
        made = {name: group(**{f.name: given.pop(f.name) for f in fields(group)}) for name, group in groups.items()}
        command(**made, **given)

    called.__name__, called.__doc__ = command.__name__, command.__doc__
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    called.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return called


def read_text(text: str | None, file: Path | None) -> str:
    """The text from the argument, the file or standard input. Raises TextError if there is none or it is unreadable."""
    if text is not None and file is not None:
        raise TextError("both a text and --file were given; give one of them")
    if text is not None:
        _hint_at_messages(text)
        return text
    read = without_last_line_break(read_document(file))
    _hint_at_messages(read)
    return read


def read_document(file: Path | None) -> str:
    """What is in a file or comes in on standard input. Raises TextError for what is not there or is no text."""
    if file is None and sys.stdin.isatty():
        raise TextError("no text was given; write it after the command, name a --file, or pipe it in")
    return _read(None if file is None else file.expanduser())


def _read(file: Path | None) -> str:
    """A file's text, or that of standard input. Raises TextError if it is unreadable."""
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
        raise TextError(f"{name} is not text: it contains a NUL character at position {decoded.index(chr(0))}")
    return decoded


def json_value(given: str, option: str) -> Any:
    """The JSON in an option: written out, or in a file of that name. Raises InputError."""
    try:
        return json_module.loads(given)
    except ValueError as error:
        if not Path(given).expanduser().is_file():
            raise InputError(f"{option} {given!r} is neither JSON nor the name of a file with JSON") from error
    try:
        return json_module.loads(Path(given).expanduser().read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"{option}: {given} is not a file with JSON ({error})") from error


def _hint_at_messages(text: str) -> None:
    if is_json_of_a_chat(text):
        _log.warning(
            "the text is the JSON of a chat, and its braces are read too: to have the chat read, use --messages"
        )


def number(value: str) -> int | str:
    """An index if it is a number, else the text as it is, such as "mean"."""
    try:
        return int(value)
    except ValueError:
        return value


def query(value: str) -> int | str:
    """A token's index, or a word of the text; "word:7" means the word "7"."""
    return value.removeprefix("word:") if value.startswith("word:") else number(value)


def check_output(output: Path | None, kind: type[Result] = Attribution) -> None:
    """Refuse an output that cannot be written, before the model does any work."""
    if output is not None:
        checked_path(output, kind)


def show(result: Result, output: Path | None, json: bool, look: Picture) -> None:
    """Write or print the result, as the options say."""
    write(result, output, look.given())
    if json:
        sys.stdout.write(result.to_json() + "\n")
    elif output is None:
        print_result(result)


def write(result: Result, output: Path | None, how: Mapping[str, Any]) -> None:
    """Write the result to `output`, if given, and say so."""
    if output is not None:
        tell("wrote {path}", path=save(result, output, **how))
