"""`attnscope serve`: the playground, a page on this machine."""

import sys
from typing import Annotated, Literal

import typer

from attnscope.cli import options
from attnscope.cli.spoken import tell
from attnscope.errors import InputError


def serve(
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="Hub id, checkpoint folder or .gguf file; may be repeated. Default: SmolLM2-135M-Instruct.",
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes any that is free.")] = 7878,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    host: Annotated[
        str, typer.Option(help="Where to listen. Anything but this machine itself needs --allow-remote.")
    ] = "127.0.0.1",
    allow_remote: Annotated[
        bool,
        typer.Option(
            "--allow-remote",
            help="Let other machines in: whoever has the address can run the models, and nothing is encrypted.",
        ),
    ] = False,
    max_tokens: Annotated[int, typer.Option(min=8, help="The longest text that can be played with, in tokens.")] = 2048,
    keep_mb: Annotated[int, typer.Option(min=0, help="How much memory may be kept for texts, in MB.")] = 512,
    lang: Annotated[
        Literal["en", "ja"] | None,
        typer.Option(help="The language of the page: en or ja. Default: that of the reader's browser."),
    ] = None,
    *,
    loading: options.Placing,
) -> None:
    """Open a page on this machine where you type, and see at once what the model relies on.

    The address that is printed holds a token: it is for this user's browser alone. Ctrl-C stops.

        attnscope serve --open
    """
    from attnscope.serve.running import check_extra, check_host
    from attnscope.serve.running import serve as run

    check_extra()
    check_host(host, allow_remote=allow_remote)
    names: list[str | None] = [*model] if model else [None]
    if len(set(names)) < len(names):
        raise InputError("the same --model was given twice: give each once")
    loaded = [loading.load_named(name) for name in names]
    run(
        loaded, port=port, host=host, allow_remote=allow_remote, open_browser=open_browser, max_tokens=max_tokens,
        kept_bytes=keep_mb * 2**20, lang=lang, say=_say,
    )  # fmt: skip


def _say(address: str) -> None:
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    tell("the playground is there; Ctrl-C stops it")
