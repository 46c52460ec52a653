"""`attnscope doctor`: what is on this machine, what is missing for what, and the command that mends it."""

import json as json_module
import os
import platform
import re
import shutil
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from attnscope.cli import options
from attnscope.translation import locale_language, say, speaking

# What each extra is for. What it needs stands in the package's own metadata.
EXTRAS = {
    "bundled": "the bundled model; .gguf files",
    "figures": ".png, .svg and .pdf",
    "ja": "Japanese, Chinese and Thai words",
    "notebook": "ats.live in a notebook",
    "serve": "attnscope serve",
    "survey": "corpora: attnscope survey",
    "adapters": "adapters of peft",
    "ray": "corpora on a cluster: --engine ray",
}
# Its headings, and names that are no names of programs.
PARTS = ("system", "packages", "devices", "extras", "fonts", "browser", "models", "platform", "Japanese", "cache")
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?\s*([^;]*)")
_SETTINGS = ("ATTNSCOPE_CACHE", "HF_HOME", "HF_HUB_OFFLINE", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
# Parts without which nothing works.
_CORE = ("system", "packages", "devices")
_JAPANESE = "日本語かな"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "firefox", "microsoft-edge")


@dataclass(frozen=True)
class Check:
    """One thing that was looked for. `state`: "ok"; "missing", an option that is not there; "broken", what must be."""

    part: str
    name: str
    state: str
    found: str
    needed_for: str = ""
    mend: str = ""


def doctor(
    json: options.Json = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything at all is missing.")] = False,
    debug: options.Debug = False,
) -> None:
    """Say what is on this machine: versions, devices, extras, fonts, browser, models, and how to get what is missing.

    Nothing is fetched and no model is loaded. Without what the core needs, the exit code is 1. Put this output
    into a report of a fault.
    """
    # JSON is for programs, and is English everywhere.
    with speaking("en" if json else locale_language()):
        checks = list(examined(debug=debug))
        if json:
            sys.stdout.write(json_module.dumps([asdict(check) for check in checks], ensure_ascii=False) + "\n")
        else:
            _print(checks)
    if any(check.state == "broken" or (strict and check.state == "missing") for check in checks):
        raise typer.Exit(1)


def examined(*, debug: bool = False) -> Iterator[Check]:
    """Everything that is looked for, in the order in which it is shown. debug: raise what goes wrong on the way."""
    parts = {
        "system": _system, "packages": _packages, "devices": _devices, "extras": _extras, "fonts": _fonts,
        "browser": _browser, "models": _models,
    }  # fmt: skip
    for part, looked_for in parts.items():
        try:
            yield from looked_for()
        except Exception as error:  # the report is for machines on which something is wrong: the rest of it is given
            if debug:
                raise
            state = "broken" if part in _CORE else "missing"
            found = say("cannot be examined: {line}", line=_line(error))
            mend = say("attnscope doctor --debug, which shows where")
            yield Check(part, part, state, found, say("this report"), mend)


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _system() -> Iterator[Check]:
    yield Check("system", "attnscope", "ok", version("attnscope"))
    yield Check("system", "Python", "ok", f"{platform.python_version()}, {sys.executable}")
    here = say("{system}, {count} processors", system=platform.platform(), count=os.cpu_count())
    yield Check("system", "platform", "ok", here)
    for name in _SETTINGS:
        if name in os.environ:
            yield Check("system", name, "ok", os.environ[name])


def _packages() -> Iterator[Check]:
    """What the core needs."""
    for name, wanted in _required(""):
        state, found = _installed(name, wanted)
        yield Check("packages", name, "ok" if state == "ok" else "broken", found, *_core(state, name, wanted))


def _core(state: str, name: str, wanted: str) -> tuple[str, str]:
    return ("", "") if state == "ok" else (say("everything"), f"pip install '{name}{wanted}'")


def _extras() -> Iterator[Check]:
    for extra, purpose in EXTRAS.items():
        states = [(name, *_installed(name, wanted)) for name, wanted in _required(extra)]
        found = ", ".join(f"{name} {said}" for name, _, said in states) or say("unknown to this installation")
        whole = bool(states) and all(state == "ok" for _, state, _ in states)
        mend = "" if whole else f"pip install -U 'attnscope[{extra}]'"
        yield Check("extras", extra, "ok" if whole else "missing", found, say(purpose), mend)


def _required(extra: str) -> Iterator[tuple[str, str]]:
    """Names and version ranges of what the core (no extra) or an extra needs, from the installed metadata."""
    for line in requires("attnscope") or ():
        marker = line.partition(";")[2]
        of = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", marker)
        match = _REQUIREMENT.match(line)
        if match is None or (of[1] if of else "") != extra:
            continue
        name, wanted = match[1], match[2].strip()
        if name == "attnscope":  # an extra that takes in another one
            for inner in re.findall(r"[\w-]+", line.partition("[")[2].partition("]")[0]):
                yield from _required(inner)
        else:
            yield name, wanted


def _installed(name: str, wanted: str) -> tuple[str, str]:
    """Whether a package is there in a version that will do, and what is."""
    try:
        there = version(name)
    except PackageNotFoundError:
        return "missing", say("not installed")
    try:
        from packaging.specifiers import SpecifierSet
    except ImportError:  # it is of the core itself, and missed there
        return "ok", say("{there}, not compared with {wanted}: that takes packaging", there=there, wanted=wanted)
    if not SpecifierSet(wanted).contains(there, prereleases=True):
        return "old", say("{there}, but {wanted} is needed", there=there, wanted=wanted)
    return "ok", there


def _devices() -> Iterator[Check]:
    try:
        import torch
    except Exception as error:  # torch can fail in many ways of its own, such as a library that is not there
        said = say("cannot be imported: {line}", line=_line(error))
        yield Check("devices", "torch", "broken", said, say("everything"), "pip install -U torch")
        return
    from attnscope.models.loading.hardware import free_memory

    free = free_memory(torch.device("cpu"))
    found = [say("{count} threads", count=torch.get_num_threads())]
    found += [] if free is None else [say("{gigabytes} GB of memory free", gigabytes=f"{free / 1e9:.1f}")]
    yield Check("devices", "cpu", "ok", ", ".join(found))
    purpose = say("speed; everything runs without")
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(index)
            yield Check("devices", f"cuda:{index}", "ok", f"{card.name}, {card.total_memory / 1e9:.0f} GB", purpose)
    elif shutil.which("nvidia-smi"):
        built = torch.version.cuda is not None
        why = say("torch cannot use the card") if built else say("this torch is built without CUDA")
        mend = say("choose a build for your card on https://pytorch.org/get-started")
        yield Check("devices", "cuda", "missing", why, purpose, mend)
    if torch.backends.mps.is_available():
        yield Check("devices", "mps", "ok", "Metal", purpose)


def _fonts() -> Iterator[Check]:
    part, name = "fonts", "Japanese"
    purpose = say("Japanese in .png, .svg and .pdf; pages bring none and use the browser's")
    try:
        from attnscope.render.figure.fonts import Fonts
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        mend = "pip install 'attnscope[figures]'"
        yield Check(part, name, "missing", say("looked for by matplotlib"), purpose, mend)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is said below
        drawn = list(Fonts(None, _JAPANESE).runs(_JAPANESE))
    # What no font has is drawn as a box.
    if "".join(stretch for stretch, _ in drawn) == _JAPANESE:
        yield Check(part, name, "ok", str(drawn[0][1]), purpose)
    else:
        yield Check(part, name, "missing", say("no installed font has it"), purpose, _font_command())


def _font_command() -> str:
    if sys.platform == "linux":
        return say("{command}, or --font FILE", command="sudo apt-get install fonts-noto-cjk")
    return say("install Noto Sans CJK JP from https://fonts.google.com/noto, or give --font FILE")


def _browser() -> Iterator[Check]:
    purpose = say("opening pages; they can be copied to any machine that has one")
    there = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if there is None and sys.platform in ("darwin", "win32"):
        there = say("the system's")
    if there is None:
        yield Check("browser", "browser", "missing", say("none was found"), purpose, "sudo apt-get install chromium")
    else:
        yield Check("browser", "browser", "ok", there, purpose)


def _models() -> Iterator[Check]:
    from attnscope.models.loading.bundled import FETCHED, FOLDER, NAME, cache

    folder = cache()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    purpose = say("the bundled model")
    if not os.access(nearest, os.W_OK):
        mend = "export ATTNSCOPE_CACHE=/a/folder/of/yours"
        yield Check("models", "cache", "missing", say("{folder} cannot be written", folder=folder), purpose, mend)
    else:
        free = f"{shutil.disk_usage(nearest).free / 1e9:.1f}"
        found = say("{folder}, {gigabytes} GB free", folder=folder, gigabytes=free)
        yield Check("models", "cache", "ok", found, purpose)
    purpose = say("every command without --model")
    if (folder / FOLDER).is_dir():
        yield Check("models", NAME, "ok", str(folder / FOLDER), purpose)
    else:
        mend = say('attnscope gradient "Hello there"  # fetches {size}, once', size=FETCHED)
        yield Check("models", NAME, "missing", say("not fetched yet"), purpose, mend)


def _print(checks: list[Check]) -> None:
    console = Console(highlight=False)
    part = ""
    for check in checks:
        if check.part != part:
            part = check.part
            console.print(Text(say(part), "bold"))
        name = say(check.name) if check.name in PARTS else check.name
        mark = {"ok": "✓", "missing": "–", "broken": "✗"}[check.state]
        style = {"ok": "", "missing": "yellow", "broken": "bold red"}[check.state]
        console.print(Padding(Text(f"{mark} {name}: {check.found}", style), (0, 0, 0, 1), expand=False))
        if check.state != "ok":
            console.print(Padding(Text(say("for: {purpose}", purpose=check.needed_for)), (0, 0, 0, 3), expand=False))
            # To be copied: never broken by the terminal's width.
            console.print(Text(f"   → {check.mend}"), soft_wrap=True)
    broken, missing = (sum(check.state == state for check in checks) for state in ("broken", "missing"))
    if broken:
        console.print(Text(say("{count} of what attnscope needs is not as it must be", count=broken), "bold red"))
    elif missing == 1:
        console.print(say("the core is whole; 1 optional part missing"))
    elif missing:
        console.print(say("the core is whole; {count} optional parts missing", count=missing))
    else:
        console.print(say("nothing is missing"))
