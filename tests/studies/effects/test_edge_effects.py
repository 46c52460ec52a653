"""`ats.edge_effects`: words × layers."""

from typing import Any

import numpy as np
import pytest
from tiny_models import causal_classifier, small

import attnscope as ats
from attnscope.errors import InputError

TEXT = "a b c d e f"


@pytest.mark.parametrize("renormalise", [True, False])
def test_a_cell_is_a_knock_out_in_its_window(renormalise: bool) -> None:
    model = small("llama")
    found = ats.edge_effects(model, TEXT, " g", window=2, renormalise=renormalise)
    assert found.words == tuple("abcdef")
    assert found.layers == (0, 1, 2)
    for layer, window in ((0, [0]), (1, [0, 1]), (2, [1, 2])):
        alone = ats.knock_out(model, TEXT, target=" g", edges=[(-1, "b")], edge_layers=window, renormalise=renormalise)
        assert found.effect[1, layer] == pytest.approx(alone.effect, abs=2e-5)
    assert (found.effect[5] == 0).all(), "the query is not cut from itself"


def test_a_target_of_several_tokens_is_read_from_all_of_them() -> None:
    model = small("llama")
    found = ats.edge_effects(model, TEXT, " g h", window=9, words=["b"])
    assert found.window == 3
    alone = ats.knock_out(model, TEXT, target=" g h", edges=[(None, "b")])
    assert found.effect[0, 1] != 0
    assert found.effect[0, 1] != pytest.approx(alone.effect, abs=1e-6), "other tokens may still look"
    last = ats.edge_effects(model, TEXT, " g h", window=9, words=["b"], query=-1)
    assert last.queries == "“f”"
    assert last.effect[0, 1] != found.effect[0, 1]


def test_several_texts_say_what_stands_for_a_word() -> None:
    model = small("llama")
    roles: Any = {"subject": ["b", "y"], "first": 0}
    found = ats.edge_effects(model, [TEXT, "x y z"], [" g", " h"], window=1, words=roles)
    one = ats.edge_effects(model, "x y z", " h", window=1, words=["y", "x"])
    np.testing.assert_allclose(found.effects[1], one.effects[0], atol=1e-5)
    low, high = found.intervals()
    assert (low <= found.effect).all()
    assert (found.effect <= high).all()
    assert found.words == ("subject", "first")
    np.testing.assert_allclose(found.relative, (-found.effects / np.array(found.values)[:, None, None]).mean(0))


def test_a_decoder_looks_at_the_text_by_cross_attention() -> None:
    model = small("bart")
    found = ats.edge_effects(model, TEXT, "g h", window=1, stack="cross")
    assert found.words == tuple("abcdef")
    one = ats.edge_effects(model, TEXT, "g h", window=np.int64(1), stack="cross", words="b")  # type: ignore[arg-type]
    np.testing.assert_allclose(one.effect[0], found.effect[1], atol=1e-5)
    assert np.abs(found.effect).max() > 0


def test_a_label_loses_what_its_own_token_may_not_look_at() -> None:
    """Of a classifier that reads from left to right, the last token: the first sees nothing but itself."""
    model = causal_classifier()
    found = ats.edge_effects(model, TEXT, 1, window=1, words=["b"])
    alone = ats.knock_out(model, TEXT, target=1, edges=[(-1, "b")], edge_layers=[1])
    assert found.effect[0, 1] == pytest.approx(alone.effect, abs=1e-6)
    assert alone.effect != 0


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_an_encoder_is_read_whole(family: str) -> None:
    model = small(family)
    found = ats.edge_effects(model, TEXT, "g h", window=1, words=["b"])
    alone = ats.knock_out(model, TEXT, target="g h", edges=[(None, "b")], edge_layers=[1])
    assert found.queries == "the other tokens"
    assert found.effect[0, 1] == pytest.approx(alone.effect, abs=1e-5)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"window": 0}, "give how many layers"),
        ({"text": [TEXT, TEXT]}, "say what stands for a word in each"),
        ({"text": [TEXT, TEXT], "words": {"subject": ["a"]}}, "'subject' has 1 words for 2 texts"),
        ({"words": {}}, "words is empty"),
        ({"words": []}, "words is empty"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        ats.edge_effects(small("llama"), **({"text": TEXT, "target": " g"} | asked))
