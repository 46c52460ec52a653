"""What Python says about a result as data is what its page says, word for word."""

import base64
import json
import re
import zlib

import numpy as np
import pytest
from drawn_maps import TEXT, maps_of
from drawn_results import RESULTS, per_token

from attnscope.render import render
from attnscope.render.html.live.described import deflated, described, described_maps, outlines_of, stream_of
from attnscope.render.html.map_encoding import Coding, pack, row_lengths


@pytest.mark.parametrize("name", RESULTS)
def test_the_words_around_a_result_are_those_of_its_page(name: str) -> None:
    result = RESULTS[name]
    page = render(result, ".html").decode()
    said = described(result)
    shown = said["shown"]
    assert json.loads(said["result"]) == json.loads(result.to_json())
    plain = re.sub(r"<[^>]+>", "", page).replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    for words in (shown["title"], shown["unit"], shown["ranked"], shown["scale"], *shown["notes"]):
        assert words in plain, words
    assert shown["signed"] == result.signed
    assert [name for name, _ in shown["facts"]] == re.findall("<dt>([^<]+)</dt>", page)[: len(shown["facts"])]


def test_a_result_per_token_too() -> None:
    result = per_token(RESULTS["english"])
    said = described(result)
    assert said["type"] == "per_token"
    assert said["shown"]["title"] in render(result, ".html").decode()
    assert not {"target_token", "value"} & {name for name, _ in said["shown"]["facts"]}


def test_maps_are_those_of_the_page_from_disk() -> None:
    maps = maps_of(TEXT)
    manifest = described_maps(maps)
    assert manifest["missing"] == []
    assert manifest["layers"] == list(maps.layers)
    assert maps.codes is not None
    assert maps.largest is not None
    packed = pack(maps.codes[0, 0], maps.largest[0, 0], row_lengths(maps), Coding(1, 255))
    assert base64.b64decode(stream_of(maps)) == packed.data
    outlines = outlines_of(maps)
    assert zlib.decompress(base64.b64decode(deflated(outlines)), -15) == outlines
    page = render(maps, ".html").decode()
    of_page = re.search(r'id="thumbnails">([^<]+)<', page)
    assert of_page is not None
    assert zlib.decompress(base64.b64decode(of_page[1]), -15) == outlines
    assert np.frombuffer(outlines, np.uint8).max() == 255
