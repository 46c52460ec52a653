"""What is not marked is escaped, and nothing in the page writers goes around that."""

import ast
import re
from importlib import resources
from pathlib import Path

import pytest

from attnscope.render.html import escape
from attnscope.render.html.escape import Markup, attributes, el, escape_line, escape_text, filled, joined, raw_text

HOSTILE = "</b><script>alert(1)</script> & \" ' \x1b \u202e"
ESCAPED = "&lt;/b&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; \" ' ␛ \\u202e"


def test_a_plain_text_is_escaped_wherever_it_is_put() -> None:
    quoted = ESCAPED.replace('"', "&quot;")
    assert el("b", None, HOSTILE) == f"<b>{ESCAPED}</b>"
    assert el("b", None, [[HOSTILE], (HOSTILE for _ in range(1))]) == f"<b>{ESCAPED}{ESCAPED}</b>"
    assert el("b", {"title": HOSTILE}) == f'<b title="{quoted}"></b>'
    assert joined((HOSTILE, el("i"))) == f"{ESCAPED}<i></i>"
    assert filled('<p title="${a}">${a}</p>', a=HOSTILE) == f'<p title="{quoted}">{quoted}</p>'
    assert filled("${a} $b", a="$b ${a}", b="x") == "$b ${a} x"


def test_markup_goes_in_once_and_as_it_is() -> None:
    bold = el("b", None, "1 < 2")
    assert el("p", None, bold, joined([bold])) == f"<p>{bold}{bold}</p>"
    assert filled("<p>$part</p>", part=bold) == f"<p>{bold}</p>"
    assert el("p", {"title": bold}) == '<p title="&lt;b&gt;1 &amp;lt; 2&lt;/b&gt;"></p>'
    for text in (f"{bold}", bold + "<i>", "".join([bold]), bold.strip()):
        assert not isinstance(text, Markup)
        assert "<b>" not in el("p", None, text)


def test_elements_and_attributes() -> None:
    assert el("input", {"checked": True, "hidden": False, "name": None, "value": 0}) == '<input checked value="0">'
    assert el("rect", {"x": 1}) == '<rect x="1"/>'
    assert attributes({"lang": "", "data-a": "b"}) == ' lang="" data-a="b"'
    assert el("a", {"href": "#top"}, "up") == '<a href="#top">up</a>'
    assert escape.quoted('<p class="x">\n</p>') == "&lt;p class=&quot;x&quot;&gt;\n&lt;/p&gt;"


@pytest.mark.parametrize(
    "name", ["onclick", "ONLOAD", "a b", "a>", 'a"', "", "x onload"], ids=lambda name: repr(name)
)  # fmt: skip
def test_no_handler_and_no_odd_name(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        attributes({name: "x"})
    with pytest.raises(ValueError, match="no name"):
        el(name)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://example.com", " #top", "//x"])
def test_no_address_leads_out_of_the_page(address: str) -> None:
    with pytest.raises(ValueError, match="a place in the page"):
        el("a", {"href": address})


@pytest.mark.parametrize("source", ["a</script>", "</STYLE >", "x <!-- y"])
def test_nothing_ends_a_script_or_style(source: str) -> None:
    with pytest.raises(ValueError, match="would end the element"):
        raw_text(source)
    assert raw_text("a < b && c > d") == "a < b && c > d"


def test_a_text_is_exact_and_a_line_is_one_line() -> None:
    assert escape_text("a\r\nb\0 <\u202e\x1b") == "a&#13;\nb␀ &lt;\u202e\x1b"
    assert escape_line("a\nb <\u202e") == "a␊b &lt;\\u202e"


FOLDER = Path(escape.__file__).parent
TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*[\s/>]|<!")


@pytest.mark.parametrize("path", [p for p in FOLDER.glob("*.py") if p.name != "escape.py"], ids=lambda path: path.stem)
def test_page_writers_write_no_tags_by_hand(path: Path) -> None:
    """Tags stand in literals that are marked, so that no f-string can hold one beside a value."""
    tree = ast.parse(path.read_text("utf-8"))
    allowed = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Markup":
            assert all(isinstance(arg, ast.Constant) for arg in node.args), (
                f"line {node.lineno}: only a literal is safe"
            )
            allowed |= {id(arg) for arg in node.args}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            ends = [part.value for part in node.values if isinstance(part, ast.Constant)]
            assert not any(end.endswith(("<", "</")) for end in ends), f"line {node.lineno}: write it with el()"
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in allowed:
            assert not TAG.search(node.value), f"line {node.lineno}: write it with el()"


def test_templates_take_their_parts_where_a_text_is_safe() -> None:
    """Between tags, in double quotes, or where attributes stand: these are written by `attributes`."""
    viewer = resources.files("attnscope.render") / "viewer"
    templates = [path.read_text("utf-8") for path in Path(str(viewer)).rglob("*.html")]
    parts = 0
    for template in templates:
        parts += template.count("$")
        for tag in re.findall(r"<[^>]*>", template):
            bare = re.sub(r'"[^"]*"', '""', tag)
            assert set(re.findall(r"\$\{?\w+", bare)) <= {"${root", "${lang"}, tag
            assert "'" not in re.sub(r'"[^"]*"', "", tag), tag
    assert parts > 20
