"""What the site makes of docstrings and of the gallery; that they are complete."""

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import attnscope as ats

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def page() -> Any:
    sys.path.insert(0, str(ROOT / ".ci"))
    try:
        yield importlib.import_module("api_page")
    finally:
        sys.path.remove(str(ROOT / ".ci"))


def test_every_method_has_its_sentence_on_the_page_of_methods(page: Any) -> None:
    strips = importlib.import_module("method_strips").strips()
    assert list(strips) == list(ats.METHODS)
    assert {one.count("<span style=") for one in strips.values()} == {11}


@pytest.fixture(scope="module")
def gallery(page: Any) -> Any:
    return importlib.import_module("gallery")


def test_the_api_page_has_every_public_name_once_with_an_example(page: Any) -> None:
    text = page.api()
    for name in ats.__all__:
        assert text.count(f"\n### {name} {{ #{name} }}\n") == 1
        entry = re.split(r"^###? ", text.split(f"### {name} {{")[1], flags=re.MULTILINE)[0]
        assert "```pycon\n>>> " in entry, name
    assert "attnscope.methods.request.Options" in text
    assert "### attnscope.methods.request.Options {" in text
    assert "](#Task)" in text
    assert "The result is an [Attribution](#Attribution); with" in text
    assert "Raises [InputError](#attnscope.errors) for an unknown method" in text
    assert "](methods.md#attention)" in text


def test_a_name_that_is_in_no_group_is_an_error(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = {**page.GROUPS, "Errors": ("AttnscopeError",)}
    monkeypatch.setattr(page, "GROUPS", groups)
    with pytest.raises(KeyError, match="AdviceWarning"):
        page.api()


def test_a_docstring_becomes_markdown(page: Any) -> None:
    written = """The norm of *all* F_i < 1 [sic].

        score = a * b

    top:    how many
            are compared. by: what.
    a, b:   two.

    Raises InputError.

    >>> 1 + 1
    2
    """
    import inspect

    assert page.markdown(inspect.cleandoc(written)) == (
        "The norm of *all* F\\_i &lt; 1 \\[sic\\].\n\n"
        "```text\nscore = a * b\n```\n\n"
        "`top`\n:   how many are compared.\n\n`by`\n:   what.\n\n`a`, `b`\n:   two.\n\n\n"
        "Raises InputError.\n\n"
        "```pycon\n>>> 1 + 1\n2\n```\n"
    )


def test_signatures_are_short(page: Any) -> None:
    assert page.signature("load", ats.load).startswith("load(\n    name: ")
    shown = page.api()
    assert not re.search(r"^```python\n\w+\([^\n]{100}", shown, re.MULTILINE)
    assert "**options: Unpack[RowOptions]" in shown
    assert "attnscope.results.base.Asked" not in shown
    assert " at 0x" not in shown


def test_every_page_of_the_gallery_has_its_pictures_and_a_link(gallery: Any, tmp_path: Path) -> None:
    names = gallery.names()
    assert len(names) == len(set(names)) >= 9
    made = {name: tmp_path / f"{name}.html" for name in names}
    for path in made.values():
        path.write_bytes(b"x" * 200_000)
    text = gallery.page(gallery.SOURCE.read_text("utf-8"), made)
    for name in names:
        assert text.count(f"](gallery/{name}.html) (0.2 MB)") == 1
        for scheme in ("light", "dark"):
            assert (ROOT / f"docs/images/gallery-{name}-{scheme}.webp").exists()
            assert f"images/gallery-{name}-{scheme}.webp#only-{scheme}" in text
