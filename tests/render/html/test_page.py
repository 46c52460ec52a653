"""What every page is made of: its policy, its data, its colours as css."""

import base64
import hashlib
import json
import re

import pytest
from drawn_maps import maps_of
from drawn_results import EVERY

from attnscope.errors import InputError
from attnscope.render import render
from attnscope.render.colours import LIGHT, LIGHT_SIGNED
from attnscope.render.html.page import chosen, colour_rules, inert, language, own_language, root, signed_rules, sizes

HOSTILE = "a </script><b>bold</b> <script>alert(1)</script> &amp; <!-- <!--<script> ]]> ${title} $low"


def test_the_policy_allows_this_script_and_style_and_no_network() -> None:
    page = render(maps_of(HOSTILE), ".html").decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for kind, source in (
        ("script", page.split('<script type="module" async>')[1].split("</script>")[0]),
        ("style", page.split("<style>")[1].split("</style>")[0]),
    ):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1]
    assert policy[1].startswith("default-src 'none';")
    assert "unsafe" not in policy[1]
    assert "http" not in policy[1]
    data = page.split('id="manifest">')[1].split("</script>")[0]
    assert not set("<>&\u2028\u2029") & set(data)
    assert json.loads(data)["sides"][0]["text"] == HOSTILE


@pytest.mark.parametrize("name", EVERY)
def test_every_page_forbids_the_network(name: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', render(EVERY[name], ".html").decode())
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; base-uri 'none'; form-action 'none'")
    assert "connect-src" not in policy[1]


def test_inert_data_is_the_same_data() -> None:
    data = {"a": "</script><!-- & \u2028\u2029", "numbers": [1, 2.5, None], "half": "\ud800"}
    written = str(inert(json.dumps(data, indent=1)))
    assert json.loads(written) == data
    assert not set("<>&\u2028\u2029\n") & set(written)


def test_each_step_of_the_colours_has_its_class() -> None:
    for signed, colours in ((False, LIGHT), (True, LIGHT_SIGNED)):
        rules = dict(re.findall(r"^\.(s\d+)\{--b:light-dark\((#\w+),", colour_rules(signed), re.MULTILINE))
        assert rules == {f"s{i}": step for i, step in enumerate(colours.steps)}
    rules = dict(re.findall(r"^\.(d\d+)\{--b:light-dark\((#\w+),", signed_rules(), re.MULTILINE))
    assert rules == {f"d{i}": step for i, step in enumerate(LIGHT_SIGNED.steps)}


def test_sizes_are_positive() -> None:
    assert sizes(80, 16) == ":root{--measure:80ch;--size:1rem}"
    for line, size in ((0, 16), (80, 0)):
        with pytest.raises(InputError, match="both must be positive"):
            sizes(line, size)


def test_the_reader_chooses_light_or_dark_where_the_caller_does_not() -> None:
    assert [re.findall(r'data-theme="(\w+)"', str(root("en", dark))) for dark in (None, True, False)] == [
        [], ["dark"], ["light"],
    ]  # fmt: skip


def test_the_first_choice_is_chosen() -> None:
    radios = re.findall(r"<input[^>]*>", str(chosen("Scale", "scale", [("one", "One"), ("two", "Two")])))
    assert ["checked" in radio for radio in radios] == [True, False]
    assert ['value="one"' in radios[0], 'value="two"' in radios[1]] == [True, True]


@pytest.mark.parametrize(
    ("text", "page", "own"), [("plain", "en", "en"), ("naïve", "en", ""), ("猫である", "ja", "ja"), ("漢字", "en", "")]
)
def test_languages(text: str, page: str, own: str) -> None:
    assert (language(text), own_language(text)) == (page, own)
