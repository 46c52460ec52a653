"""The command line: one file per command, listed in COMMANDS. Torch is imported only when a command runs."""

import logging
import os
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from attnscope.cli.agreement import agreement
from attnscope.cli.attention import attention
from attnscope.cli.effects.edge_effects import edge_effects
from attnscope.cli.effects.head_effects import head_effects
from attnscope.cli.effects.knock_out import knock_out
from attnscope.cli.encoding import never_fail_to_print
from attnscope.cli.evaluate import evaluate
from attnscope.cli.explain import explain
from attnscope.cli.flow import flow
from attnscope.cli.gradient import gradient
from attnscope.cli.machine.doctor import doctor
from attnscope.cli.machine.models import models
from attnscope.cli.maps import maps
from attnscope.cli.methods import methods
from attnscope.cli.options import expanded
from attnscope.cli.pairs.compare import compare
from attnscope.cli.pairs.similarity import similarity
from attnscope.cli.plan import plan
from attnscope.cli.render import render
from attnscope.cli.serving.serve import serve
from attnscope.cli.spoken import Lines, tell_sentence, translate
from attnscope.cli.tables.cite import cite
from attnscope.cli.tables.survey import survey
from attnscope.errors import AttnscopeError, FailureError
from attnscope.translation import in_locale, locale_language, speaking

COMMANDS: dict[str, Callable[..., None]] = {
    "attention": attention,
    "gradient": gradient,
    "flow": flow,
    "maps": maps,
    "plan": plan,
    "explain": explain,
    "agreement": agreement,
    "compare": compare,
    "similarity": similarity,
    "evaluate": evaluate,
    "cite": cite,
    "survey": survey,
    "knock-out": knock_out,
    "head-effects": head_effects,
    "edge-effects": edge_effects,
    "render": render,
    "serve": serve,
    "methods": methods,
    "models": models,
    "doctor": doctor,
}


# The library's own sentence, whose option is made anew each time.
_SHOW_HELP = "Show this message and exit."


class _Switches:
    """Of a command: the help of a switch, which takes no value, shows no type of one."""

    def get_params(self, ctx: Any) -> Any:
        shown = super().get_params(ctx)  # type: ignore[misc]
        for option in shown:
            if getattr(option, "is_flag", False):
                option.metavar = ""
            if getattr(option, "help", None) == _SHOW_HELP:
                option.help = in_locale(_SHOW_HELP)
        return shown


class _Command(_Switches, TyperCommand):
    pass


class _Commands(_Switches, TyperGroup):
    pass


app = typer.Typer(
    cls=_Commands,
    help="See what a transformer attends to and which words it relies on.",
    epilog="Exit codes: 0 done, 1 the work failed, 2 the input cannot be used. `attnscope COMMAND --help` says more.",
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"attnscope {version('attnscope')}\n")
        raise typer.Exit


@app.callback()
def _every_command(
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


for _name, _command in COMMANDS.items():
    app.command(_name, cls=_Command)(expanded(_command))
# Some versions of typer depend on click, others ship a copy of it: find the class in either.
_USAGE_ERROR: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


def main() -> None:
    """Run the command line and exit: an error is one line on standard error; `--debug` shows where it came from."""
    debug = "--debug" in sys.argv
    never_fail_to_print(json="--json" in sys.argv)
    # What other libraries tell their own users helps nobody here, unless something is searched for.
    logged = logging.StreamHandler()
    logged.setFormatter(Lines())
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR, handlers=[logged])
    logging.getLogger("attnscope").setLevel(logging.DEBUG if debug else logging.INFO)
    warnings.showwarning = _one_line
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    try:
        code = _command_line()(standalone_mode=False) or 0
        sys.stdout.flush()
        sys.exit(code)
    except _USAGE_ERROR as error:
        usage = error.format_message()
        _fail(f"{usage} (see attnscope --help)", 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("stopped; nothing was written", 130)
    except BrokenPipeError:
        _drop_output()  # the reader has closed the pipe: there is nobody left to tell
        sys.exit(0)
    except Exception as error:
        _drop_output()
        if debug:
            raise
        if isinstance(error, AttnscopeError):
            _fail(str(error), 1 if isinstance(error, FailureError) else 2)
        if isinstance(error, OSError) and error.strerror:
            _fail(f"{error.filename or 'standard output'}: {error.strerror}", 1)
        # transformers names in the last one only its own module that needed what is missing.
        cause: BaseException = error
        while isinstance(cause.__cause__, ImportError):
            cause = cause.__cause__
        if isinstance(cause, ImportError) and not (cause.name or "").startswith("attnscope"):
            _fail(f"{cause}; `attnscope doctor` says what is missing, and how to get it", 1)
        _fail(f"{type(error).__name__}: {error} (this should not happen; --debug shows where)", 1)


def _command_line() -> Callable[..., Any]:
    """The commands, with their help in the user's language."""
    language = locale_language()
    if language == "en":
        return app
    command = typer.main.get_command(app)
    with speaking(language):
        translate(command)
    return command


def _drop_output() -> None:
    """What could not be written to standard output is not tried again when the process ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int) -> None:
    tell_sentence(" ".join(message.split()))
    sys.exit(code)


def _one_line(message: Warning | str, *_where: object, **_kwargs: object) -> None:
    tell_sentence(str(message))
