"""The examples of the docstrings, which the API page shows: all of them run, and give what stands below them."""

import doctest
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import attnscope as ats

# A number with a point, of which as many digits count as are written.
_NUMBER = re.compile(r"-?\d+\.\d+")


# A study and its result show the same call, which need not run twice.
TWICE = ("similarity", "evaluate", "head_effects", "edge_effects", "head_profiles", "survey")


class Nearly(doctest.OutputChecker):
    """Decimal numbers may differ by two in their last written digit: sums have another order on another machine."""

    def check_output(self, want: str, got: str, flags: int) -> bool:
        if super().check_output(want, got, flags):
            return True
        wanted, found = _NUMBER.findall(want), _NUMBER.findall(got)
        if not super().check_output(_NUMBER.sub("0.0", want), _NUMBER.sub("0.0", got), flags):
            return False
        return all(
            abs(float(one) - float(other)) <= 2.1 * 10.0 ** -len(one.partition(".")[2])
            for one, other in zip(wanted, found, strict=True)
        )


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(ats.__path__, "attnscope."):
        path = Path(ats.__path__[0], *found.name.split(".")[1:])
        source = path / "__init__.py" if found.ispkg else path.with_suffix(".py")
        if ">>> " in source.read_text("utf-8"):
            yield importlib.import_module(found.name)


def examples() -> list[doctest.DocTest]:
    return [test for module in modules() for test in doctest.DocTestFinder().find(module) if test.examples]


def failures(test: doctest.DocTest, **names: object) -> list[str]:
    test.globs.update(names)
    report: list[str] = []
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    doctest.DocTestRunner(Nearly(), optionflags=flags).run(test, out=report.append)
    return report


def remembered(function: Callable[..., Any]) -> Callable[..., Any]:
    found: dict[str, Any] = {}

    def once(*given: Any, **options: Any) -> Any:
        return found.get(asked := repr((given, options))) or found.setdefault(asked, function(*given, **options))

    return once


def test_the_checker_knows_a_wrong_number_from_a_rounded_one() -> None:
    checker = Nearly()
    assert checker.check_output("(0.12, 3)\n", "(0.13, 3)\n", 0)
    assert not checker.check_output("(0.12, 3)\n", "(0.15, 3)\n", 0)
    assert not checker.check_output("(0.12, 3)\n", "(0.12, 4)\n", 0)


def test_no_example_is_left_out_of_the_run() -> None:
    assert [one.name for one in examples() if any(part.options.get(doctest.SKIP) for part in one.examples)] == []


@pytest.mark.parametrize("name", [name for name in ats.__all__ if not isinstance(getattr(ats, name), dict)])
def test_every_public_class_function_and_module_has_an_example(name: str) -> None:
    assert ">>> " in (getattr(ats, name).__doc__ or "")


@pytest.mark.slow
def test_every_example_gives_what_is_written_below_it(
    smollm2: ats.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    load = ats.load
    monkeypatch.setattr(ats, "load", lambda *given, **options: load(*given, **options) if given or options else smollm2)
    for name in TWICE:
        monkeypatch.setattr(ats, name, remembered(getattr(ats, name)))
    report = [line for test in examples() for line in failures(test, ats=ats, model=smollm2)]
    assert not report, "\n".join(report)
