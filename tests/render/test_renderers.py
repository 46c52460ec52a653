"""The same results, hostile and ordinary, through every row of RENDERERS."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from drawn_results import RESULTS, long_result

from attnscope.errors import InputError, NonFiniteError, OutputError
from attnscope.render import RENDERERS, notebook_html, render, save
from attnscope.results.attribution import Attribution

MAGIC = {
    ".html": b"<!doctype html>",
    ".png": b"\x89PNG\r\n",
    ".svg": b"<?xml",
    ".pdf": b"%PDF-",
    ".json": b'{"schema": 2',
    ".txt": b"",
}


@pytest.mark.filterwarnings("ignore::attnscope.render.figure.fonts.MissingGlyphWarning")
@pytest.mark.parametrize("suffix", RENDERERS[Attribution])
@pytest.mark.parametrize("name", RESULTS)
def test_every_result_draws_twice_the_same(name: str, suffix: str) -> None:
    data = render(RESULTS[name], suffix)
    assert data.startswith(MAGIC[suffix])
    assert len(data) > 100
    assert render(RESULTS[name], suffix) == data


@pytest.mark.parametrize("name", RESULTS)
def test_json_comes_back(name: str) -> None:
    assert Attribution.from_json(render(RESULTS[name], ".json").decode()) == RESULTS[name]


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
