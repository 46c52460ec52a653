"""The tutorials: notebooks made from Markdown that run and end in a picture, handed out as files and shown as pages."""

import importlib.util
import re
from pathlib import Path
from threading import Barrier
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[1]


def _module() -> Any:
    spec = importlib.util.spec_from_file_location("tutorials", ROOT / ".ci/tutorials.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tutorials = _module()


@pytest.mark.slow
@pytest.mark.parametrize("name", tutorials.names())
def test_a_tutorial_runs_and_ends_in_a_picture(name: str) -> None:
    made = tutorials.executed(name)
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    drawn = [output.get("data", {}) for output in code[-1].outputs]
    assert any("image/png" in data or "<iframe" in data.get("text/html", "") for data in drawn)
    text, pictures = tutorials.page(name, made)
    assert text.count("<iframe") + len(pictures) >= 2
    assert "Traceback" not in text


def test_a_tutorial_becomes_a_notebook_and_a_page_with_what_it_put_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tutorials, "SOURCES", tmp_path)
    (tmp_path / "small.md").write_text("# One\n\nText.\n\n```python\n1 + 1\n```\n\nMore.\n\n```sh\nls\n```\n", "utf-8")
    made = tutorials.notebook("small")
    nbformat.validate(made)
    assert [(cell.cell_type, cell.source) for cell in made.cells] == [
        ("markdown", "# One\n\nText."),
        ("code", "1 + 1"),
        ("markdown", "More.\n\n```sh\nls\n```"),
    ]
    frame = '<iframe srcdoc="a\n\nb"></iframe>'
    made.cells[1].outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="noise"),
        nbformat.v4.new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "bar"}),
        nbformat.v4.new_output("stream", name="stdout", text="said\n"),
        nbformat.v4.new_output("display_data", {"image/png": "aGk=", "text/plain": "<Figure>"}),
        nbformat.v4.new_output("display_data", {"text/html": frame, "text/plain": "<Attribution>"}),
        nbformat.v4.new_output("display_data", {"text/html": "<table></table>", "text/plain": "a  b"}),
    ]
    page, pictures = tutorials.page("small", made)
    assert pictures == {"small-1-3.png": b"hi"}
    assert [part for part in page.split("\n\n") if part] == [
        "# One",
        "Text.",
        "[Download as a notebook](small.ipynb)",
        "```python\n1 + 1\n```",
        "```text\nsaid\n```",
        "![<Figure>](small-1-3.png)",
        '<div><iframe srcdoc="a&#10;&#10;b"></iframe></div>',
        "```text\na  b\n```",
        "More.",
        "```sh\nls\n```\n",
    ]
    bare = nbformat.reads(tutorials.handed_out(made), as_version=4)
    assert bare.cells[1].outputs == []
    assert made.cells[1].outputs  # the other is as it was


def test_tutorials_that_run_side_by_side_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Barrier(2, timeout=20)  # each waits for the other
    monkeypatch.setattr(tutorials, "executed", lambda name: (name, both.wait())[0])
    monkeypatch.setattr(tutorials.os, "cpu_count", lambda: 2)
    assert list(tutorials.all_executed(["second", "first"])) == [("second", "second"), ("first", "first")]


def test_every_tutorial_is_in_the_site_and_in_its_list() -> None:
    nav = (ROOT / "mkdocs.yml").read_text("utf-8")
    listed = (ROOT / "docs/tutorials/index.md").read_text("utf-8")
    for name in tutorials.names():
        assert f"tutorials/{name}.md" in nav
        assert f"({name}.md)" in listed


@pytest.mark.parametrize("name", tutorials.names())
def test_a_tutorial_is_short_and_its_code_is_python(name: str) -> None:
    made = tutorials.notebook(name)
    for cell in made.cells:
        if cell.cell_type == "code":
            compile(cell.source, name, "exec")
    assert len(made.cells) <= 24
    assert made.cells[0].source.startswith("# ")


def test_japanese_paragraphs_are_not_broken() -> None:
    for path in (ROOT / "docs/tutorials").glob("*.ja.md"):
        prose = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        assert not re.findall(r"[\u3040-\u9fff、。]\n[\u3040-\u9fff]", prose)
