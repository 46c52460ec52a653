"""Files of schema 1, written by the attnscope that had it: all types, with what they say, and again as schema 2."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnscope as ats
from attnscope.errors import DamagedFileError
from attnscope.results.base import Asked, Measured, Result, load_result
from attnscope.results.files.schema1 import upgraded

FOLDER = Path(__file__).parent / "schema1"
FILES = sorted(path.name for path in FOLDER.iterdir())

# Of results of one text: family, and what was asked and measured beside the defaults.
SAID: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "attention_mean.json": ("attention", {"options": {"layer": 1, "head": "mean"}}, {"excluded_mass": 0.0}),
    "attention_query.json": (
        "attention", {"options": {"layer": 2, "head": 2}, "query": "c"}, {"excluded_mass": 0.0, "query_tokens": (3,)}
    ),
    "attention_cross.json": (
        "attention",
        {"options": {"layer": 1, "head": 2}, "query": 1, "stack": "cross"},
        {"excluded_mass": 0.0, "query_text": "g h"},
    ),
    "attention_continued.json": (
        "attention",
        {"options": {"layer": 1, "head": 1}, "query": -1},
        {"excluded_mass": 0.0, "query_tokens": (6,), "continued_at": 9},
    ),
    "rollout.json": (
        "flow",
        {"options": {"layer": 2, "heads": "mean", "residual": 0.25}, "query": -1},
        {"excluded_mass": 0.0, "query_tokens": (4,)},
    ),
    "deletion_segments.json": (
        "perturbation",
        {
            "options": {"signed": True}, "target": "log-probability of ' g'", "quantity": "log_probability",
            "unit": "segment", "segments": {"front": (0, 5), "back": (6, 9)},
        },
        {"value": -3.0746002197265625},
    ),
    "occlusion_within.json": (
        "perturbation",
        {
            "options": {"window": 2, "way": "zero"}, "target": "log-probability of ' g'",
            "quantity": "log_probability", "within": (0, 5),
        },
        {"value": -3.0746002197265625},
    ),
    "signed_drawn.json": (
        "gradient", {"options": {"pool": "sum", "norm": "l2", "preset": None, "loss": 3.1}}, {}
    ),
}  # fmt: skip


def load(name: str) -> Any:
    return load_result(FOLDER / name)


@pytest.mark.parametrize("name", FILES)
def test_it_loads_and_comes_back_as_schema_2(name: str, tmp_path: Path) -> None:
    result = load(name)
    path = tmp_path / name
    if name in ("maps.json", "evaluation.json"):  # which `save` writes in another form
        path.write_text(result.to_json(), "utf-8", "backslashreplace")
    else:
        result.save(path)
    again = load_result(path)
    assert type(again) is type(result)
    assert again.to_dict() == result.to_dict()
    written = result.to_dict()
    assert (written["schema"], written["type"]) == (2, type(result).type)
    if path.suffix != ".safetensors":
        first = json.loads(path.read_text("utf-8").split("\n")[0])
        assert (first["schema"], first["type"]) == (2, type(result).type)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".json") and "maps" not in name])
def test_the_numbers_are_those_of_the_file(name: str) -> None:
    saved = json.loads((FOLDER / name).read_text("utf-8"))
    for result, document in _attributions(load(name), saved):
        assert [w.score for w in result.words] == [w["score"] for w in document["words"]]
        assert [t.score for t in result.tokens] == [t["score"] for t in document["tokens"]]
        assert [(t.text, t.start, t.end, t.special) for t in result.tokens] == [
            (t["text"], t["start"], t["end"], t["special"]) for t in document["tokens"]
        ]
        assert (result.method, result.text, result.provenance) == (
            document["method"], document["text"], document["provenance"],
        )  # fmt: skip
        assert result.signed == document["signed"]
        assert result.excluded_mass == document["excluded_mass"]
        with pytest.warns(DeprecationWarning, match=r"Attribution\.family"):
            assert result.kind == document["kind"]
        with pytest.warns(DeprecationWarning, match=r"Attribution\.asked"):
            merged = result.parameters
        assert {k: v for k, v in merged.items() if v is not None} == {
            k: v for k, v in document["parameters"].items() if v is not None
        }


def _attributions(result: Result, saved: dict[str, Any]) -> list[tuple[ats.Attribution, dict[str, Any]]]:
    if isinstance(result, ats.Attribution):
        return [(result, saved)]
    if isinstance(result, ats.PerToken):
        return [(result.first, saved["first"])]
    if isinstance(result, ats.Agreement):
        return list(zip(result.results, saved["results"], strict=True))
    if isinstance(result, ats.Comparison):
        return [(getattr(result, side).result, saved[side]["result"]) for side in ("left", "right")]
    if isinstance(result, ats.Comparisons):
        return [one for pair, of in zip(result.pairs, saved["pairs"], strict=True) for one in _attributions(pair, of)]
    return []


@pytest.mark.parametrize("name", SAID)
def test_what_was_asked_and_what_was_measured_are_told_apart(name: str) -> None:
    family, asked, measured = SAID[name]
    result = load(name)
    assert (result.family, result.asked, result.measured) == (family, Asked(**asked), Measured(**measured))


def test_diagnostics_have_fields_of_their_own() -> None:
    integrated, shapley, lime = (load(f"{name}.json") for name in ("integrated_gradients", "shapley", "lime"))
    assert integrated.measured.completeness_error == 0.0018192802381987727
    assert integrated.measured.baseline_value < integrated.measured.value
    assert integrated.asked.options["tolerance"] == 0.01
    assert len(shapley.measured.standard_error) == len(shapley.words)
    assert 0 < lime.measured.r_squared <= 1
    assert lime.asked.unit == "token"
    assert load("classifier_fixed.json").measured.fixed == (1,)
    assert load("attention_at_target.json").measured.to_target == pytest.approx(0.08214, abs=1e-5)
    assert {load(f"{name}.json").family for name in ("rollout", "attention_flow", "value_norm", "value_zeroing")} == {
        "flow"
    }
    assert load("random.json").family == "baseline"


def test_texts_are_kept_character_by_character() -> None:
    assert load("japanese_drawn.json").text == "吾輩は猫である。名前はまだ無い。どこ"
    assert load("lone_surrogate.json").words[1].text == "\ud800"
    assert [t.special for t in load("special_drawn.json").tokens] == [True, False, True, False]


def test_per_token_results() -> None:
    result = load("per_token_integrated.json")
    saved = json.loads((FOLDER / "per_token_integrated.json").read_text("utf-8"))
    np.testing.assert_array_equal(result.scores, saved["word_scores"])
    assert [(t.text, t.index, t.value) for t in result.targets] == [
        (t["text"], t["index"], t["value"]) for t in saved["targets"]
    ]
    assert result[1].asked.target_token == result.targets[1].text
    assert result[1].measured.value == result.targets[1].value
    assert result.first.measured.value is None


def test_agreements_comparisons_evaluations() -> None:
    found = load("agreement.json")
    np.testing.assert_allclose(found.rank, json.loads((FOLDER / "agreement.json").read_text())["rank"], atol=1e-12)
    compared = load("comparison.json")
    saved = json.loads((FOLDER / "comparison.json").read_text())
    assert [pair.edit for pair in compared.pairs] == [pair["kind"] for pair in saved["pairs"]]
    assert compared.moved == pytest.approx(saved["moved"])
    assert [dict(pair.tags)["attack"] for pair in load("comparisons.json").pairs] == ["typo", "cut"]
    rows, whole = load("evaluation.jsonl"), load("evaluation.json")
    assert rows == whole
    assert rows.rows[0].values == json.loads((FOLDER / "evaluation.jsonl").read_text().split("\n")[1])["values"]


def test_maps() -> None:
    maps, cross, alone, words = (
        load(f"{name}.safetensors") for name in ("maps", "maps_cross", "statistics", "maps_words")
    )
    assert (maps.asked, maps.measured.continued_at) == (Asked(options={"top": 2}, unit="token"), 5)
    assert (maps.layers, maps.heads, maps.codes.shape) == ((0, 2), (1, 3), (2, 2, 4, 4))
    assert (cross.asked.stack, cross.query_side.text, cross.key_side.text) == ("cross", "g h", "a b c")
    assert alone.codes is None
    assert words.asked.unit == "word"
    for one, before in ((maps, {"attention": "self", "top": 2, "continued_at": 5}), (words, {"unit": "word"})):
        with pytest.warns(DeprecationWarning, match=r"AttentionMaps\.asked"):
            assert before.items() <= one.parameters.items()
    weights = json.loads((FOLDER / "maps.json").read_text())["weights"]
    np.testing.assert_allclose(load("maps.json").weights(2, 3), weights[1][1], atol=0.008)
    np.testing.assert_allclose(maps.weights(2, 3), weights[1][1], rtol=1e-3)


DAMAGE: dict[str, tuple[str, Callable[[dict[str, Any]], Any], str]] = {
    "no parameters": ("gradient.json", lambda d: d.pop("parameters"), "'parameters' is missing"),
    "a target that is a list": ("gradient.json", lambda d: d["parameters"].update(target=[]), "asked: 'target'"),
    "no kind": ("gradient.json", lambda d: d.pop("kind"), "its type is None"),
    "a mass that is text": ("gradient.json", lambda d: d.update(excluded_mass="1"), "measured: 'excluded_mass'"),
    "no results": ("agreement.json", lambda d: d.pop("results"), "'results' is missing"),
    "a damaged result": ("agreement.json", lambda d: d["results"][1].pop("text"), "in result 1: .*'text'"),
    "a damaged side": ("comparison.json", lambda d: d["left"].pop("result"), "'result' is missing"),
    "a damaged pair": ("comparisons.json", lambda d: d["pairs"][1]["pairs"][0].pop("change"), "in pair 1: .*'change'"),
    "no first": ("per_token.json", lambda d: d.pop("first"), "'first' is missing"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named(name: str, tmp_path: Path) -> None:
    file, harm, says = DAMAGE[name]
    data = json.loads((FOLDER / file).read_text("utf-8"))
    harm(data)
    (tmp_path / file).write_text(json.dumps(data), "utf-8")
    with pytest.raises(DamagedFileError, match=rf"{file} is no result that can be read: {says}.*again"):
        load_result(tmp_path / file)


def test_anything_else_is_left_as_it_is() -> None:
    for data in (None, [], {}, {"schema": 2, "kind": "attention"}, {"kind": "attention"}):
        assert upgraded(data) is data
