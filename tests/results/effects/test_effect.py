"""A knock-out's result: its files, its tables, its words."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from drawn_results import effect

import attnscope as ats
from attnscope.errors import DamagedFileError
from attnscope.results.effects.effect import Taken, TakenEdge, TakenWord, TokenEffect


def test_a_saved_effect_is_the_same_effect(tmp_path: Path) -> None:
    made = effect()
    made.save(tmp_path / "effect.json")
    assert ats.load_result(tmp_path / "effect.json") == made
    assert made.effect == 1.75


def test_what_the_model_rules_out_is_saved_and_loaded(tmp_path: Path) -> None:
    made = replace(effect(), after=-math.inf, tokens=(TokenEffect("x", -0.5, -math.inf),))
    made.save(tmp_path / "effect.json")
    assert ats.load_result(tmp_path / "effect.json") == made
    assert made.effect == math.inf
    assert replace(made, before=-math.inf).effect == 0


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("before", "low", "expected a number or '-inf'"),
        ("taken", {"heads": []}, "'how' is missing"),
        ("ranking", [{"text": "a"}], "word 0: 'before'"),
        ("tokens", None, "'tokens' is missing"),
    ],
)
def test_a_damaged_file_says_what_is_wrong(name: str, value: object, says: str) -> None:
    data = json.loads(effect().to_json()) | {name: value}
    with pytest.raises(DamagedFileError, match=says):
        ats.Effect.from_json(json.dumps(data))


def test_what_was_taken_is_said_in_words() -> None:
    word = TakenWord(" him", (3,))
    assert Taken(heads=((15, 7),)).said() == "head 7 of layer 15"
    both = Taken(layers=(3,), edges=(TakenEdge(word, None), TakenEdge(None, word)), words=(word,))
    assert both.said() == (
        "layer 3, the attention from “him” to every token, the attention from every token to “him” and the word “him”"
    )
    assert Taken().said() == "nothing"


def test_the_table_has_values_ranks_and_tokens() -> None:
    table = effect().table()
    assert "before -0.5  after -2.25 ± 0.12  effect +1.75" in table
    assert "60.00% (1)      10.00% (3)" in table
    assert "A note about" in table
    assert effect().columns("tokens")["effect"].tolist() == [2.25, -0.5]
    assert effect().columns()["place_after"].tolist() == [3, 1, 2]
