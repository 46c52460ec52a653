"""`attnscope doctor`: what is there is said, what is missing is missed, and its command mends it."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
from command_line import failed, run

from attnscope.cli.machine.doctor import EXTRAS, Check, examined
from attnscope.render.figure import fonts

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))["project"]
module = import_module("attnscope.cli.machine.doctor")  # the command has the file's name


@pytest.fixture(autouse=True)
def metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the project as it is now, which an editable installation need not have."""
    extras = {
        extra: [f"{line}; extra == '{extra}'" for line in lines]
        for extra, lines in PROJECT["optional-dependencies"].items()
    }
    lines = [*PROJECT["dependencies"], *(line for of_extra in extras.values() for line in of_extra)]
    monkeypatch.setattr(module, "requires", lambda _: lines)


def found(part: str, name: str) -> Check:
    return next(check for check in examined() if (check.part, check.name) == (part, name))


def versions(given: dict[str, str | None]) -> Callable[[str], str]:
    """The installed versions, but for these; None: not installed."""
    real = module.version

    def version(name: str) -> str:
        there = given.get(name, "")
        if there is None:
            raise PackageNotFoundError(name)
        return there or real(name)

    return version


def test_here_the_core_is_whole_and_text_and_json_say_the_same() -> None:
    done = run("doctor")
    assert done.returncode == 0
    rows = json.loads(run("doctor", "--json").stdout)
    assert {"packages", "devices", "extras", "fonts", "browser", "models"} < {row["part"] for row in rows}
    text = done.stdout.decode()
    for row in rows:
        assert row["name"] in text
        assert row["state"] != "broken"
        # Whatever is not there comes with its use and the command that mends it, on one line.
        assert row["state"] == "ok" or (row["needed_for"] and f"→ {row['mend']}\n" in text)


def test_every_extra_of_a_user_is_known_and_every_package_of_the_core() -> None:
    assert set(EXTRAS) == set(PROJECT["optional-dependencies"]) - {"dev", "docs"}
    names = {check.name for check in examined() if check.part == "packages"}
    assert {"torch", "transformers", "numpy"} <= names


@pytest.mark.parametrize(("there", "said"), [(None, "not installed"), ("0.1", "0.1, but >=3.9 is needed")])
def test_an_extra_that_is_missing_or_too_old(there: str | None, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "version", versions({"matplotlib": there}))
    check = found("extras", "figures")
    assert (check.state, check.found) == ("missing", f"matplotlib {said}")
    assert check.mend == "pip install -U 'attnscope[figures]'"
    # An option: no error, unless one asks for all.
    assert run("doctor").returncode == 0
    assert run("doctor", "--strict").returncode == 1


def test_an_extra_that_takes_in_another_needs_what_that_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "version", versions({"pyarrow": None}))
    assert found("extras", "ray").state == found("extras", "survey").state == "missing"


def test_an_extra_that_the_installation_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "requires", lambda _: ["numpy>=2.0"])
    check = found("extras", "serve")
    assert (check.state, check.found) == ("missing", "unknown to this installation")


def test_a_core_that_is_too_old_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "version", versions({"transformers": "4.57.1"}))
    check = found("packages", "transformers")
    assert check.state == "broken"
    assert "4.57.1, but" in check.found
    assert check.mend.startswith("pip install 'transformers")
    done = run("doctor")
    assert done.returncode == 1
    assert "1 of what attnscope needs is not as it must be" in done.stdout.decode()


def test_a_torch_that_cannot_be_imported_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    check = found("devices", "torch")
    assert (check.state, check.mend) == ("broken", "pip install -U torch")


def test_a_machine_without_a_japanese_font(monkeypatch: pytest.MonkeyPatch) -> None:
    latin: Any = [entry for entry in fonts.fontManager.ttflist if entry.name == "DejaVu Sans"]
    monkeypatch.setattr(fonts.fontManager, "ttflist", latin)
    monkeypatch.setattr(fonts, "_newly_installed", lambda: False)
    fonts._installed.cache_clear()
    try:
        check = found("fonts", "Japanese")
    finally:
        fonts._installed.cache_clear()
    assert check.state == "missing"
    assert "font" in check.mend.lower()


def test_a_machine_without_browser_model_or_a_cache_that_can_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setenv("ATTNSCOPE_CACHE", str(tmp_path / "not" / "there"))
    assert found("browser", "browser").state == "missing"
    assert found("models", "cache").state == "ok"
    model = found("models", "SmolLM2-135M-Instruct")
    assert (model.state, model.found) == ("missing", "not fetched yet")
    assert found("system", "ATTNSCOPE_CACHE").found.endswith("there")
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    assert found("models", "cache").mend.startswith("export ATTNSCOPE_CACHE")


def test_a_person_reads_it_in_their_language_and_a_program_in_english(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    monkeypatch.setattr(module, "version", versions({"ray": None, "matplotlib": "3.0"}))
    module.doctor()
    lines = capsys.readouterr().out.splitlines()
    assert "追加機能（extras）" in lines
    assert any(line.endswith("ray インストールされていません") for line in lines)
    assert "   用途：クラスターでのコーパス：--engine ray" in lines
    # What is no name, path or command is Japanese.
    assert not [line for line in lines if re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", line) and "→" not in line]
    module.doctor(json=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["ray"]["needed_for"] == EXTRAS["ray"]
    assert "ray not installed" in rows["ray"]["found"]


@pytest.mark.parametrize("name", [line.split(">")[0] for line in PROJECT["dependencies"]])
def test_whatever_of_the_core_is_missing_is_missed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "version", versions({name: None}))
    if name not in {"rich", "typer"}:  # which print it
        monkeypatch.setitem(sys.modules, name.replace("-", "_"), None)
    done = run("doctor", "--json")
    assert (done.returncode, done.stderr) == (1, b"")
    rows = json.loads(done.stdout)
    broken = {(row["part"], row["name"]): row["mend"] for row in rows if row["state"] == "broken"}
    assert broken.pop(("packages", name)).startswith(f"pip install '{name}")
    assert set(broken) == ({("devices", "torch")} if name == "torch" else set())
    assert "SmolLM2-135M-Instruct" in {row["name"] for row in rows if row["part"] == "models"}


# A process that does not find what it is given.
_BARE = """
import sys
from importlib import metadata
class Missing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in given:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
version = metadata.version
def there(name):
    if name.replace("-", "_").lower() in given:
        raise metadata.PackageNotFoundError(name)
    return version(name)
metadata.version = there
given = sys.argv.pop(1).split(",")
sys.meta_path.insert(0, Missing())
from attnscope.__main__ import main
main()
"""


# What the command line is made of.
STARTS_WITH = ["numpy", "regex", "rich", "typer"]


def without(missing: Iterable[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _BARE, ",".join(missing), *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_where_nearly_nothing_is_installed_all_of_it_is_missed() -> None:
    core = {line.split(">")[0].replace("-", "_") for line in PROJECT["dependencies"]}.difference(STARTS_WITH)
    done = without({*core, "matplotlib"}, "doctor", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    broken = [row["name"].replace("-", "_") for row in json.loads(done.stdout) if row["state"] == "broken"]
    assert sorted(broken) == sorted([*core, "torch"])


@pytest.mark.parametrize("name", STARTS_WITH)
def test_without_what_it_starts_with_there_is_a_line(name: str) -> None:
    done = without([name], "doctor")
    assert done.returncode == 1
    assert done.stderr == f"attnscope: No module named '{name}': pip install attnscope gets what is missing\n"


def test_a_part_that_cannot_be_examined_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError("the disk\nis on fire")

    monkeypatch.setattr(module.shutil, "disk_usage", fails)
    check = found("models", "models")
    assert (check.state, check.found) == ("missing", "cannot be examined: OSError: the disk is on fire")
    assert found("system", "Python").state == "ok"
    assert run("doctor").returncode == 0
    monkeypatch.setattr(module, "version", fails)
    assert run("doctor").returncode == 1
    with pytest.raises(OSError, match="on fire"):
        list(examined(debug=True))


def test_other_commands_say_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert "`attnscope doctor` says what is missing" in failed("models", code=1)
