"""The rules of the house that a machine can hold; import-linter holds the arrows between packages."""

import ast
from pathlib import Path
from statistics import mean

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "attnscope"
TESTS = ROOT / "tests"
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
FOLDERS = sorted({path.parent for path in MODULES})

# Modules whose tests have another name, and where these are.
TESTED_BY = {
    "__init__.py": "test_public_names.py",
    "__main__.py": "cli/test_cli.py",  # `python -m attnscope` is the command
    "render/__init__.py": "render/test_renderers.py",
}
# Where the process's surroundings may be touched: everything else is a function of its arguments.
OUTSIDE = ("cli", "serve", "models/loading")
SURROUNDINGS = {"os.environ", "os.getenv", "os.putenv", "sys.argv", "sys.stdin", "sys.stdout", "sys.stderr"}
NETWORK = {"asyncio", "ftplib", "http", "httpx", "requests", "socket", "socketserver", "ssl", "subprocess", "urllib"}


def _parsed(module: Path) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


def _has_code(module: Path) -> bool:
    """Whether there is more than a docstring."""
    return any(
        not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in _parsed(module).body
    )


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _mirrors(module: Path) -> list[Path]:
    """The tests of a module: `test_NAME.py` in the mirrored folder, and others that begin so, `test_NAME_WHAT.py`."""
    folder = TESTS / module.parent
    name = module.parent.name if module.name == "__init__.py" else module.stem
    return [*folder.glob(f"test_{name}.py"), *folder.glob(f"test_{name}_*.py")]


def test_every_module_has_its_tests_in_the_mirrored_place() -> None:
    missing = [
        module.as_posix()
        for module in MODULES
        if _has_code(module) and module.as_posix() not in TESTED_BY and not _mirrors(module)
    ]
    assert not missing, f"{len(missing)} modules without tests of their own:\n" + "\n".join(missing)


@pytest.mark.parametrize(("module", "tests"), TESTED_BY.items())
def test_the_exceptions_are_needed_and_true(module: str, tests: str) -> None:
    assert (PACKAGE / module).is_file()
    assert (TESTS / tests).is_file()
    assert not _mirrors(Path(module)), f"{module} has tests in the mirrored place: it is no exception"


def test_the_folders_of_tests_are_those_of_the_package() -> None:
    """Or what is of no single package: no tests of one that is gone."""
    of_all = {"reference", "support", "typed", "families"}
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("*.py")} - {Path()}
    of_the_package = {folder for folder in folders if folder.parts[0] not in of_all}
    gone = sorted(str(folder) for folder in of_the_package if not (PACKAGE / folder).is_dir())
    assert not gone


def _installed(path: Path) -> bool:
    """Whether another's: in an environment that a rule of the Makefile has made, or in what npm has brought."""
    return any(part == "node_modules" or part.startswith(".venv") for part in path.parts)


def _on_top(folder: Path) -> set[str]:
    return {"__init__.py", "conftest.py", f"test_{folder.name}.py"}


def test_folders_are_rooms_not_halls() -> None:
    """Fourteen modules, or as many files of tests. A package's own `__init__`, its tests, and fixtures come on top."""
    crowded = {
        str(folder.relative_to(ROOT)): count
        for top in (PACKAGE, TESTS, ROOT / "benchmarks")
        for folder in [top, *(path for path in top.rglob("*") if path.is_dir() and not _installed(path))]
        if (count := sum(path.name not in _on_top(folder) for path in folder.glob("*.py"))) > 14
    }
    assert not crowded, f"more than 14 Python files: {crowded}"


def test_files_are_short() -> None:
    """None over 400 lines, whether Python or JavaScript: most have 50 to 300."""
    long = {
        str(path.relative_to(ROOT)): lines
        for top in (PACKAGE, TESTS, ROOT / "benchmarks")
        for path in top.rglob("*")
        if path.suffix in (".py", ".js") and not _installed(path) and (lines := _lines(path)) > 400
    }
    assert not long, f"more than 400 lines: {long}"


def test_files_are_no_fragments() -> None:
    """In every package a module with code has 40 lines or more on average: a concept is not scattered over screens."""
    sizes = {
        folder: [_lines(PACKAGE / m) for m in MODULES if m.parent == folder and _has_code(m)] for folder in FOLDERS
    }
    scattered = {folder.as_posix(): round(mean(lines)) for folder, lines in sizes.items() if lines and mean(lines) < 40}
    assert not scattered, f"lines a module, on average: {scattered}"


def test_names_say_what_is_in_a_file() -> None:
    assert not [
        m.as_posix() for m in MODULES if m.stem.strip("_") in ("util", "utils", "helper", "helpers", "misc", "tools")
    ]


def _surroundings(tree: ast.Module) -> set[str]:
    touched = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & SURROUNDINGS
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            touched |= {alias.name for alias in node.names if alias.name.split(".")[0] in NETWORK}
        elif isinstance(node, ast.ImportFrom):
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            touched |= full & SURROUNDINGS
            touched |= full if str(node.module).split(".")[0] in NETWORK else set()
    return touched


def test_only_the_outer_rooms_touch_environment_terminal_network_and_processes() -> None:
    touching = {
        module.as_posix(): sorted(touched)
        for module in MODULES
        if not module.as_posix().startswith(OUTSIDE) and (touched := _surroundings(_parsed(module)))
    }
    assert not touching
    # The scan sees what it looks for.
    assert any(_surroundings(_parsed(module)) for module in MODULES if module.as_posix().startswith("models/loading"))
