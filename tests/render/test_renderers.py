"""The same results, hostile and ordinary, through every row of RENDERERS."""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import failed
from drawn_results import EVERY, RESULTS, long_result

from attnscope.errors import InputError, MissingExtraError, NonFiniteError, OutputError
from attnscope.render import (
    FORMATS,
    PAPER,
    RENDERERS,
    Renderer,
    checked_path,
    notebook_html,
    render,
    save,
    with_defaults,
)
from attnscope.results.attribution import Attribution
from attnscope.results.base import TYPES

ORDER = (
    "attribution",
    "per_token",
    "agreement",
    "attention_maps",
    "comparison",
    "comparisons",
    "similarity",
    "evaluation",
    "citation",
    "effect",
    "head_profiles",
    "survey_summary",
    "head_effects",
    "edge_effects",
)
MAGIC = {
    ".html": b"<!doctype html>",
    ".png": b"\x89PNG\r\n",
    ".svg": b"<?xml",
    ".pdf": b"%PDF-",
    ".json": b'{"schema": 2',
}


@pytest.mark.filterwarnings("ignore::attnscope.render.figure.fonts.MissingGlyphWarning")
@pytest.mark.parametrize("suffix", RENDERERS[Attribution])
@pytest.mark.parametrize("name", RESULTS)
def test_every_result_draws_twice_the_same(name: str, suffix: str) -> None:
    data = render(RESULTS[name], suffix)
    assert data.startswith(MAGIC.get(suffix, b""))
    assert len(data) > 40
    assert render(RESULTS[name], suffix) == data


@pytest.mark.parametrize("suffix", [".json", ".txt", ".html"])
def test_a_long_prompt_draws(suffix: str) -> None:
    assert len(render(long_result(), suffix)) > 1_000_000


@pytest.mark.parametrize("suffix", RENDERERS[Attribution])
def test_a_text_without_words_draws(suffix: str) -> None:
    assert render(Attribution("gradient", "gradient", "\n", (), ()), suffix)


@pytest.mark.parametrize("name", ["a.PNG", "b.html", "Ω 語.json", "d.e.txt"])
def test_the_suffix_picks_the_renderer(name: str, tmp_path: Path) -> None:
    path = save(RESULTS["quotes"], tmp_path / name)
    assert path == tmp_path / name
    assert path.read_bytes() == render(RESULTS["quotes"], path.suffix)
    assert save(RESULTS["quotes"], str(path)) == path


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.htm", r"'\.htm'.*\.html \.png.*did you mean \.html"),
        ("a.pngg", r"did you mean \.png"),
        ("a.docx", r"expected one of \.html \.png \.svg \.pdf \.json \.txt"),
        ("a", "has no suffix"),
        ("no/a.html", "folder .*no does not exist"),
    ],
)
def test_an_unusable_path_is_refused_before_drawing(
    name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attnscope.render.render", lambda *_: pytest.fail("it was drawn"))
    with pytest.raises(OutputError, match=says):
        save(RESULTS["single"], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_drawing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.html"
    path.write_text("old")

    def fail(*_: Any, **__: Any) -> bytes:
        raise NonFiniteError("no")

    monkeypatch.setattr("attnscope.render.html.attribution.render_html", fail)
    with pytest.raises(NonFiniteError):
        save(RESULTS["single"], path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]


@pytest.mark.parametrize("suffix", RENDERERS[Attribution])
def test_an_unknown_option_is_named(suffix: str) -> None:
    with pytest.raises(InputError, match=r"no option 'colour'; it takes: "):
        render(RESULTS["single"], suffix, colour="red")


@pytest.mark.parametrize("suffix", [".html", ".png", ".svg", ".pdf"])
@pytest.mark.parametrize("option", [{"max_line_chars": 0}, {"font_size": 0}])
def test_impossible_values_are_refused(suffix: str, option: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(option))):
        render(RESULTS["single"], suffix, **option)


def test_every_result_has_its_formats_and_every_renderer_is_there() -> None:
    assert list(RENDERERS) == [type(EVERY[tag]) for tag in ORDER]
    assert set(ORDER) == set(TYPES)
    for rows in RENDERERS.values():
        assert {suffix for suffix, default in FORMATS.items() if default} <= set(rows)
        assert list(rows) == [suffix for suffix in FORMATS if suffix in rows], "in the order of FORMATS"
        for suffix, renderer in rows.items():
            takes = inspect.signature(renderer.load()).parameters
            heard = set(PAPER) if suffix == ".html" else {*PAPER, "lang"}  # by `render` itself
            assert set(renderer.options) - heard <= set(takes)


@pytest.mark.parametrize("tag", TYPES)
def test_every_result_of_every_type_is_drawn_in_all_its_formats(tag: str) -> None:
    for suffix in RENDERERS[type(EVERY[tag])]:
        assert render(EVERY[tag], suffix).startswith(MAGIC.get(suffix, b"")), suffix


def test_a_renderer_of_every_result_is_one_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a newcomer would add it: a function and a row of FORMATS."""
    (tmp_path / "shouting.py").write_text("def render_loud(result): return result.type.upper().encode()")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(FORMATS, ".loud", Renderer("shouting", "render_loud"))
    added = with_defaults({kind: {} for kind in RENDERERS})
    assert all(
        rows[".loud"].load()(EVERY[tag]) == tag.upper().encode()
        for tag, rows in zip(ORDER, added.values(), strict=True)
    )


def test_only_results_are_drawn() -> None:
    with pytest.raises(InputError, match="cannot draw a dict: expected an Attribution"):
        render({}, ".html")  # type: ignore[arg-type]


def test_the_notebook_frame_holds_the_whole_page() -> None:
    import html

    frame = notebook_html(RESULTS["script"])
    head, source = frame.split(' srcdoc="')
    assert source.endswith('"></iframe>')
    assert html.unescape(source.removesuffix('"></iframe>')).encode() == render(RESULTS["script"], ".html")
    assert "allow-same-origin" not in head
    assert frame.count("<") == 2


def test_pictures_need_no_torch() -> None:
    code = (
        "import sys, attnscope.render, attnscope.results.attribution, attnscope.results.scaling, attnscope.text.words\n"
        "import attnscope.render.html.attribution, attnscope.render.document.terminal, attnscope.render.document.data\n"
        "bad = {'torch', 'transformers', 'tokenizers', 'matplotlib'} & set(sys.modules)\n"
        "import attnscope.render.figure.attribution, attnscope.render.figure.fonts\n"
        "bad |= {'torch', 'transformers', 'tokenizers', 'matplotlib.pyplot'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(bad)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("suffix", "missing", "said"),
    [
        (".png", ["matplotlib"], r"attnscope\[figures\]"),
        (".svg", ["matplotlib"], r"attnscope\[figures\]"),
        (".pdf", ["matplotlib"], r"attnscope\[figures\]"),
        (".parquet", ["pyarrow", "polars"], "pip install pyarrow"),
    ],
)
def test_a_format_that_nothing_installed_writes_is_refused_before_there_is_a_result(
    suffix: str, missing: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    for kind in RENDERERS:
        with pytest.raises(MissingExtraError, match=said):
            checked_path(tmp_path / f"x{suffix}", kind)
        assert checked_path(tmp_path / "x.html", kind)
    assert list(tmp_path.iterdir()) == []
    # Not even a model was looked for.
    assert re.search(said, failed("explain", "Hi", "--model", "no/such", "-o", str(tmp_path / f"x{suffix}"), code=1))
