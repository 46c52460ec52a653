import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_results import result
from hypothesis import given, settings
from hypothesis import strategies as st

import attnscope as ats
from attnscope.errors import DamagedFileError, InputError, NonFiniteError
from attnscope.render import RENDERERS, render
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.base import Asked, Interaction, Measured

SMALL = Attribution(
    method="attention",
    family="attention",
    text="猫 and 👍🏽",
    tokens=(Token("<s>", 0, 0, True, 0.5), Token("猫", 0, 1, False, 0.25), Token(" and", 1, 5, False, 1e-9)),
    words=(Word("猫", 0, 1, 0.25), Word("and", 2, 5, 1e-9), Word("👍🏽", 6, 8, -0.0)),
    asked=Asked(options={"layer": 1, "head": "mean"}),
    measured=Measured(excluded_mass=0.5, query_tokens=()),
    provenance={"model": "tiny", "revision": None},
)

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SIMPLE = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FLOATS | st.text()
OBJECTS = st.dictionaries(st.text(), SIMPLE | st.lists(SIMPLE, max_size=3), max_size=4)

SPAN = st.tuples(st.integers(0, 99), st.integers(0, 99))
TEXT = st.none() | st.text()
NUMBER = st.none() | FLOATS
ASKED = st.builds(
    Asked, options=OBJECTS, target=TEXT, quantity=TEXT, unit=st.text(),
    segments=st.dictionaries(st.text(), SPAN, max_size=3), within=st.none() | SPAN,
    query=TEXT | st.integers(), stack=st.text(), chat=st.booleans(), truncate=st.booleans(), target_token=TEXT,
)  # fmt: skip
INDICES = st.lists(st.integers(0, 99), max_size=4).map(tuple)
MEASURED = st.builds(
    Measured, value=NUMBER, excluded_mass=NUMBER, completeness_error=NUMBER, baseline_value=NUMBER,
    standard_error=st.none() | st.lists(FLOATS, max_size=3).map(tuple), r_squared=NUMBER,
    steps=st.none() | st.integers(0, 99), to_target=NUMBER, query_tokens=st.none() | INDICES, query_text=TEXT,
    continued_at=st.none() | st.integers(0, 99), fixed=INDICES, coverage=st.none() | SPAN,
    interactions=st.lists(st.builds(Interaction, SPAN, SPAN, FLOATS, FLOATS, FLOATS), max_size=2).map(tuple),
)  # fmt: skip


@st.composite
def attributions(draw: st.DrawFn) -> Attribution:
    # Every character, lone surrogates too, but no surrogate pairs: JSON reads a pair as one character.
    text = draw(st.text(max_size=30)) + draw(st.sampled_from(["", "\ud800", "\0\x1b\u2028", '</script>"\\']))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    spans = [(a, b) for a, b in pairwise(cuts) if draw(st.booleans())]
    words = tuple(Word(text[a:b], a, b, draw(FLOATS)) for a, b in spans)
    tokens = tuple(Token(text[a:b], a, b, draw(st.booleans()), draw(FLOATS)) for a, b in spans)
    bos = Token("<s>", 0, 0, True, draw(FLOATS))
    family = draw(st.sampled_from(["attention", "flow", "gradient", "perturbation", "baseline", "own"]))
    return Attribution(
        draw(st.text()), family, text, (bos, *tokens), words, draw(ASKED), draw(MEASURED), draw(st.booleans()),
        draw(OBJECTS),
    )  # fmt: skip


@settings(deadline=None)
@given(attributions())
def test_json_round_trip_is_exact(a: Attribution) -> None:
    back = Attribution.from_json(a.to_json())
    assert back == a
    assert [repr(w.score) for w in back.words] == [repr(w.score) for w in a.words]
    assert [repr(t.score) for t in back.tokens] == [repr(t.score) for t in a.tokens]


@settings(deadline=None)
@given(a=attributions())
def test_save_and_load_is_exact(tmp_path_factory: pytest.TempPathFactory, a: Attribution) -> None:
    path = tmp_path_factory.getbasetemp() / "result.json"
    a.save(path)
    assert Attribution.load(path) == a


def test_the_document_keeps_to_the_schema() -> None:
    data = json.loads(SMALL.to_json())
    assert list(data) == [
        "schema", "type", "method", "family", "text", "signed", "asked", "measured", "tokens", "words", "provenance",
    ]  # fmt: skip
    assert (data["schema"], data["type"]) == (2, "attribution")
    assert data["tokens"][1] == {"text": "猫", "start": 0, "end": 1, "special": False, "score": 0.25}
    assert data["words"][0] == {"text": "猫", "start": 0, "end": 1, "score": 0.25, "scaled": 1.0}
    assert data["words"][2]["scaled"] == 0.0
    documented = (Path(__file__).parents[2] / "docs" / "schema.md").read_text("utf-8")
    for field in (*data, *data["asked"], *data["measured"], *data["tokens"][0], *data["words"][0]):
        assert f"`{field}`" in documented


def _set(*path: Any) -> Callable[[dict[str, Any]], None]:
    *way, last, value = path

    def change(data: dict[str, Any]) -> None:
        place: Any = data
        for key in way:
            place = place[key]
        place[last] = value

    return change


DAMAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "wrong schema": _set("schema", 3),
    "no schema": lambda d: d.pop("schema"),
    "no words": lambda d: d.pop("words"),
    "no text": lambda d: d.pop("text"),
    "no provenance": lambda d: d.pop("provenance"),
    "text is a number": _set("text", 3),
    "words is an object": _set("words", {}),
    "a word is a list": _set("words", 0, []),
    "a word has no score": lambda d: d["words"][0].pop("score"),
    "a token has no special": lambda d: d["tokens"][0].pop("special"),
    "special is a number": _set("tokens", 0, "special", 1),
    "a score is a boolean": _set("words", 0, "score", True),
    "a score is text": _set("words", 0, "score", "0.25"),
    "a score is NaN": _set("words", 0, "score", math.nan),
    "a score is infinite": _set("tokens", 0, "score", math.inf),
    "a score beyond floats": _set("words", 0, "score", 10**400),
    "excluded mass is text": _set("measured", "excluded_mass", "0.5"),
    "no asked": lambda d: d.pop("asked"),
    "no measured": lambda d: d.pop("measured"),
    "options is a list": _set("asked", "options", []),
    "a target is a number": _set("asked", "target", 3),
    "a segment is a number": _set("asked", "segments", {"a": 3}),
    "within has one end": _set("asked", "within", [3]),
    "a query token is text": _set("measured", "query_tokens", ["a"]),
    "a standard error is NaN": _set("measured", "standard_error", [math.nan]),
    "a value is true": _set("measured", "value", True),
    "another type": _set("type", "comparison"),
    "an unknown type": _set("type", "picture"),
    "no type": lambda d: d.pop("type"),
    "a start is a float": _set("words", 0, "start", 0.5),
    "a word beyond the text": _set("words", 2, "end", 9),
    "a word before the text": _set("words", 0, "start", -8),
    "words out of order": lambda d: d["words"].reverse(),
    "an empty word": _set("words", 0, "end", 0),
    "a word with another text": _set("words", 0, "text", "犬"),
    "a token with another text": _set("tokens", 1, "text", "犬"),
    "a token counted from the end": lambda d: d["tokens"][2].update(start=-7, end=-3),
    "a special token beyond the text": lambda d: d["tokens"][0].update(start=90, end=99),
    "a token that ends before it starts": lambda d: d["tokens"][0].update(start=4, end=2),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_object_is_refused(name: str, tmp_path: Path) -> None:
    data = json.loads(SMALL.to_json())
    DAMAGE[name](data)
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(data), "utf-8")
    with pytest.raises(DamagedFileError, match=r"damaged\.json"):
        Attribution.load(path)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"null", b"3", b"not json", SMALL.to_json().encode()[:-20], b"\xff\xfe{}", b"[" * 100_000,
        SMALL.to_json().encode("utf-16"),
    ],
    ids=["empty", "list", "null", "number", "words", "truncated", "not utf-8", "deep", "utf-16"],
)  # fmt: skip
def test_a_damaged_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"damaged\.json"):
        Attribution.load(path)


def test_a_missing_file_is_pythons_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Attribution.load(tmp_path / "none.json")


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_non_finite_scores_name_the_token(score: float) -> None:
    with pytest.raises(NonFiniteError, match=r"token 1 \(' cat'\).*float32"):
        Attribution("m", "gradient", "a cat", (Token("a", 0, 1, False, 0.0), Token(" cat", 1, 5, False, score)), ())
    with pytest.raises(NonFiniteError, match="word 0"):
        Attribution("m", "gradient", "a", (), (Word("a", 0, 1, score),))


def test_scores_are_arrays_in_order() -> None:
    assert SMALL.scores.tolist() == [0.25, 1e-9, 0.0]
    assert SMALL.token_scores.tolist() == [0.5, 0.25, 1e-9]


def test_repr_names_the_highest() -> None:
    assert repr(SMALL) == "<Attribution attention: 3 words, 3 tokens; top: '猫' 0.25, 'and' 1e-09, '👍🏽' -0>"


def test_own_scores_stand_where_their_words_do() -> None:
    text = "the cat and the dog"
    by_name = Attribution.of(text, ["the", "cat", "the"], [1, -2, 0.5], signed=True)
    assert [(w.text, w.start, w.end, w.score) for w in by_name.words] == [
        ("the", 0, 3, 1.0), ("cat", 4, 7, -2.0), ("the", 12, 15, 0.5),
    ]  # fmt: skip
    assert by_name == Attribution.of(text, [(0, 3), (4, 7), (12, 15)], np.array([1, -2, 0.5]), signed=True)
    assert by_name == Attribution.of(text, by_name.words, (1, -2, 0.5), signed=True)
    assert (by_name.family, by_name.method, by_name.signed) == ("own", "own", True)
    assert [(t.start, t.end, t.score) for t in by_name.tokens] == [(w.start, w.end, w.score) for w in by_name.words]
    assert by_name.by_token().words == by_name.words
    assert Attribution.from_json(by_name.to_json()) == by_name
    assert Attribution.of("", [], []).words == ()
    named = Attribution.of("猫だ", ["猫", "だ"], [0.5, 0.25], method="eyes", provenance={"model": "people"})
    assert (named.method, dict(named.provenance)) == ("eyes", {"model": "people"})


@pytest.mark.parametrize(
    ("words", "scores", "says"),
    [
        (["cat", "the"], [1, 2], r"word 1 is 'the', which the text does not have after its character 7"),
        (["the", "dog"], [1, 2], r"word 1 is 'dog'"),
        ([""], [1], r"word 0 is ''"),
        ([(4, 7), (0, 3)], [1, 2], r"word 1 spans 0:3"),
        ([(0, 3), (2, 5)], [1, 2], r"word 1 spans 2:5"),
        ([(0, 0)], [1], r"word 0 spans 0:0"),
        ([(0, 99)], [1], r"word 0 spans 0:99"),
        ([Word("dog", 0, 3, 1.0)], [1], r"word 0 is 'dog' of another text: here 'the'"),
        (["the"], [1, 2], r"1 words were given and scores of the shape \(2,\)"),
        (["the", "cat"], [[1, 2]], r"of the shape \(1, 2\)"),
    ],
)
def test_own_scores_that_fit_no_words_are_refused(words: Any, scores: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Attribution.of("the cat", words, scores)


def test_own_scores_are_compared_and_drawn() -> None:
    text = "a castle on the hill"
    method = result(text)
    own = Attribution.of(text, text.split(), [4, 3, 2, 1, 0])
    assert ats.agreement([method, own]).names == ("gradient", "own")
    for suffix in RENDERERS[Attribution]:
        assert render(own, suffix)
    drawn = render(own, ".txt").decode()
    assert drawn.startswith("Own scores\n")
    with pytest.raises(NonFiniteError, match="'castle'"):
        Attribution.of(text, ["castle"], [math.nan])


def test_tokens_that_share_a_character_stay_together() -> None:
    tokens = (
        Token("<s>", 0, 0, True, 9.0), Token("本", 0, 1, False, 1.0), Token("本", 0, 1, False, 2.0),
        Token("本a", 0, 2, False, 4.0), Token("b", 2, 3, False, 8.0), Token("</s>", 3, 3, True, 9.0),
    )  # fmt: skip
    split = Attribution("m", "gradient", "本ab", tokens, ()).by_token()
    assert [(w.text, w.score) for w in split.words] == [("本a", 7.0), ("b", 8.0)]


def test_the_old_names_warn_and_say_the_same() -> None:
    asked = Asked(
        options={"steps": 4, "preset": None}, target="x", unit="segment", segments={"a": (0, 1)}, within=(0, 1)
    )
    measured = Measured(value=-1.0, steps=8, fixed=(1,), standard_error=(0.5,))
    one = Attribution("m", "gradient", "a", (), (), asked, measured)
    with pytest.warns(DeprecationWarning, match=r"Attribution\.asked.*measured"):
        assert one.parameters == {
            "steps": 8, "preset": None, "target": "x", "unit": "segment", "segments": {"a": [0, 1]}, "within": [0, 1],
            "value": -1.0, "fixed": [1], "standard_error": [0.5],
        }  # fmt: skip
    with pytest.warns(DeprecationWarning, match=r"Attribution\.family"):
        assert one.kind == "importance"
    with pytest.warns(DeprecationWarning, match=r"Attribution\.family"):
        assert SMALL.kind == "attention"
    with pytest.warns(DeprecationWarning, match=r"Attribution\.asked"):
        assert SMALL.parameters == {"layer": 1, "head": "mean", "query": None, "query_tokens": None}
    assert (SMALL.excluded_mass, one.excluded_mass) == (0.5, None)


def test_a_target_that_the_model_rules_out_is_saved_and_loaded() -> None:
    made = result("a b", measured={"value": -math.inf})
    assert '"value": "-inf"' in made.to_json()
    assert Attribution.from_json(made.to_json()) == made
    for value in (math.inf, math.nan):
        with pytest.raises(NonFiniteError):
            result("a b", measured={"value": value}).to_json()
