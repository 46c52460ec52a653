import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from attnscope.errors import DamagedFileError, InputError, OutputError, RangeError
from attnscope.render import save
from attnscope.results.attention_maps import AttentionMaps, TextSide, quantise
from attnscope.text.words import TokenSpan, WordSpan

TEXT = "</script>猫 $x$"
SIDE = TextSide(
    TEXT,
    (TokenSpan("<s>", 0, 0, True), TokenSpan("</script>", 0, 9, False), TokenSpan("猫", 9, 10, False),
     TokenSpan(" $x", 10, 13, False), TokenSpan("$", 13, 14, False)),
    (WordSpan(0, 9, (1,)), WordSpan(9, 10, (2,)), WordSpan(11, 14, (3, 4))),
)  # fmt: skip


def hand_made() -> AttentionMaps:
    weights = np.random.default_rng(1).dirichlet(np.ones(5), size=(2, 3, 5)).astype(np.float32)
    codes, largest = quantise(weights)
    statistics = {"received": weights[:, :, 1:].mean(2), "special": np.ascontiguousarray(weights[..., 0])}
    return AttentionMaps(SIDE, SIDE, (0, 4), (1, 2, 7), (*range(5),), (*range(5),), codes, largest, statistics)


def test_a_file_comes_back_exactly_and_stays_on_disk(tmp_path: Path) -> None:
    maps = hand_made()
    back = AttentionMaps.load(save(maps, tmp_path / "maps.safetensors"))
    assert isinstance(back.codes, np.memmap)
    assert (back.codes == maps.codes).all()
    assert (back.row(4, 7, -1) == maps.weights(4, 7)[-1]).all()
    assert back.query_side == SIDE
    assert all((back.statistics[name] == maps.statistics[name]).all() for name in maps.statistics)


@pytest.mark.parametrize("cut", [0, 4, 200, -1])
def test_a_cut_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "maps.safetensors"
    hand_made().save(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DamagedFileError):
        AttentionMaps.load(path)


def test_words_are_summed_over_keys_and_averaged_over_queries() -> None:
    maps = hand_made()
    whole, pooled = maps.weights(4, 2), maps.words().weights(4, 2)
    for q, queries in enumerate([[1], [2], [3, 4]]):
        for k, keys in enumerate([[1], [2], [3, 4]]):
            slow = sum(whole[i, j] for i in queries for j in keys) / len(queries)
            assert abs(pooled[q, k] - slow) <= 0.008 * pooled[q].max()


def test_columns_are_of_one_length() -> None:
    assert {len(column) for column in hand_made().columns().values()} == {6}


def test_a_layer_that_was_not_kept_is_named() -> None:
    with pytest.raises(RangeError, match="the layer 3 is not among those kept: 0, 4"):
        hand_made().weights(3, 1)


def test_maps_are_not_drawn_into_files_of_other_kinds(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.html.*safetensors"):
        save(hand_made(), tmp_path / "maps.docx")


def test_foreign_files_are_refused_by_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "maps.safetensors"
    for content, metadata, says in (
        ({"codes": np.zeros(3, np.uint8)}, None, "no attention maps of attnscope's"),
        ({"weight": np.zeros(3)}, None, "numbers of the type 'F64', no attention maps"),
        ({"codes": np.zeros(3, np.uint8)}, {"attnscope": "{"}, "is not JSON"),
        ({"codes": np.zeros(3, np.uint8)}, {"attnscope": "[]"}, "it has no schema number"),
        (
            {"codes": np.zeros(3, np.uint8)},
            {"attnscope": '{"schema": 3, "type": "attention_maps"}'},
            "its schema is 3 and this attnscope reads 1 and 2",
        ),
        (
            {"codes": np.zeros(3, np.uint8)},
            {"attnscope": '{"schema": 2, "type": "comparison"}'},
            "its type is 'comparison', not 'attention_maps'",
        ),
        (
            {"codes": np.zeros(3, np.uint8)},
            {"attnscope": '{"schema": 2, "type": "attention_maps"}'},
            "'query_side' is missing",
        ),
    ):
        save_file(content, path, metadata=metadata)
        with pytest.raises(DamagedFileError, match=says):
            AttentionMaps.load(path)
    path.write_text("not safetensors at all")
    with pytest.raises(DamagedFileError, match="not a safetensors file"):
        AttentionMaps.load(path)
    with pytest.raises(FileNotFoundError):
        AttentionMaps.load(tmp_path / "none.safetensors")


def test_a_file_that_is_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "maps.safetensors"
    hand_made().save(path)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(DamagedFileError, match="not a safetensors file"):
        AttentionMaps.load(path)


def test_arrays_that_do_not_fit_their_axes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "maps.safetensors"
    hand_made().save(path)
    with safe_open(path, "numpy") as file:
        content, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    save_file(content | {"codes": content["codes"][:1].copy()}, path, metadata=metadata)
    with pytest.raises(DamagedFileError, match="codes has the shape"):
        AttentionMaps.load(path)


def test_rows_and_received_are_numpys_own() -> None:
    maps = hand_made()
    whole = np.array([[maps.weights(layer, head) for head in maps.heads] for layer in maps.layers])
    assert maps.codes is not None
    assert maps.largest is not None
    np.testing.assert_allclose(whole, (maps.codes / 255.0) ** 4 * maps.largest[..., None], rtol=1e-6)
    for i, layer in enumerate(maps.layers):
        for j, head in enumerate(maps.heads):
            for query in range(5):
                np.testing.assert_array_equal(maps.row(layer, head, query), whole[i, j, query])
            np.testing.assert_array_equal(maps.row(layer, head, -1), whole[i, j, 4])
            # Without the statistic: the mean over the queries that are not special.
            received = replace(maps, statistics={}).received(layer, head)
            np.testing.assert_allclose(received, whole[i, j, 1:].mean(0), rtol=1e-6)
            np.testing.assert_array_equal(maps.received(layer, head), maps.statistics["received"][i, j])


def test_the_words_statistics_are_numpys_own() -> None:
    maps, pooled = hand_made(), hand_made().words()
    members = [[1], [2], [3, 4]]
    received = np.stack([maps.statistics["received"][..., m].sum(-1) for m in members], -1)
    special = np.stack([maps.statistics["special"][..., m].mean(-1) for m in members], -1)
    np.testing.assert_allclose(pooled.statistics["received"], received, rtol=1e-6)
    np.testing.assert_allclose(pooled.statistics["special"], special, rtol=1e-6)
    assert [token.text for token in pooled.key_side.tokens] == ["</script>", "猫", "$x$"]


def test_json_holds_the_numbers() -> None:
    maps = hand_made()
    data = json.loads(maps.to_json())
    assert (data["schema"], data["type"]) == (2, "attention_maps")
    assert (data["layers"], data["heads"], data["queries"]) == ([0, 4], [1, 2, 7], [0, 1, 2, 3, 4])
    assert data["query_side"]["text"] == TEXT
    assert data["query_side"]["tokens"][0] == {"text": "<s>", "start": 0, "end": 0, "special": True}
    assert data["query_side"]["words"][2] == {"start": 11, "end": 14, "tokens": [3, 4]}
    assert "key_side" not in data
    np.testing.assert_allclose(data["weights"][1][2], maps.weights(4, 7), rtol=1e-3)
    np.testing.assert_allclose(data["statistics"]["special"], maps.statistics["special"], rtol=1e-3)
    assert "weights" not in json.loads(replace(maps, codes=None, largest=None).to_json())


def test_json_of_too_many_weights_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnscope.results.attention_maps._MOST_JSON_WEIGHTS", 10)
    with pytest.raises(InputError, match=r"150 weights, too many for JSON: save them as \.safetensors"):
        hand_made().to_json()
