"""What `ats.attention` says about a text: against eager matrices, a known truth, and the laws of mass."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planted import copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from attnscope.errors import QueryError, RangeError, TextError, TextTooLongError
from attnscope.models.inputs.batching import tensors
from attnscope.models.inputs.encode import encode
from reference.textbook import eager_attention

TEXT = "<|im_start|>The castle on the hill was old. 熊本県の castle 😀"


def matrices(model: ats.Model, text: str) -> np.ndarray:
    """(layer, head, query, key)"""
    inputs = tensors(model.model, encode(model.tokenizer, text).inputs)
    return torch.stack([layer[0] for layer in eager_attention(model.model, inputs)]).numpy()


def test_one_query_of_one_head(smollm2: ats.Model) -> None:
    result = ats.attention(smollm2, TEXT, layer=3, head=2, query=5)
    expected = matrices(smollm2, TEXT)[3, 2, 5]
    np.testing.assert_allclose(result.token_scores, expected, atol=1e-5)
    assert result.tokens[0].special
    assert result.excluded_mass == pytest.approx(expected[0], abs=1e-5)
    castle = next(w for w in result.words if w.text == "castle")
    assert castle.score == pytest.approx(expected[2], abs=1e-5)


def test_mean_over_queries_leaves_special_queries_out(minilm: ats.Model) -> None:
    result = ats.attention(minilm, "the castle on the hill", layer=-2, head=-1)
    full = matrices(minilm, "the castle on the hill")[4, 11]
    np.testing.assert_allclose(result.token_scores, full[1:-1].mean(0), atol=1e-5)
    assert [t.special for t in result.tokens] == [True, *[False] * 5, True]


@pytest.mark.parametrize(("head", "over"), [("mean", np.mean), ("max", np.max)])
def test_over_heads_and_layers(smollm2: ats.Model, head: str, over: object) -> None:
    full = matrices(smollm2, TEXT)[:, :, 4]
    one = ats.attention(smollm2, TEXT, layer=-1, head=head, query=4)
    np.testing.assert_allclose(one.token_scores, over(full[-1], axis=0), atol=1e-5)
    every = ats.attention(smollm2, TEXT, layer="mean", head=head, query=4)
    np.testing.assert_allclose(every.token_scores, over(full, axis=1).mean(0), atol=1e-5)


def test_a_query_word_is_the_mean_of_its_tokens(smollm2: ats.Model) -> None:
    result = ats.attention(smollm2, TEXT, layer=7, head=1, query="熊本県")
    tokens = list(result.measured.query_tokens)
    assert len(tokens) > 1
    np.testing.assert_allclose(result.token_scores, matrices(smollm2, TEXT)[7, 1, tokens].mean(0), atol=1e-5)


def test_a_known_truth_product_atoms_attend_to_their_reactant_atoms(rxnmapper: ats.Model) -> None:
    """Layer 10, head 5 of rxnmapper maps atoms (Schwaller et al. 2021): here the nitrogen and the oxygen."""
    reaction = "BrCCCO.N>>NCCCO"
    for symbol, product in (("N", 9), ("O", 13)):
        result = ats.attention(rxnmapper, reaction, layer=10, head=5, query=product)
        assert result.tokens[product].text == symbol
        reactants = [t for t in result.tokens if t.end and t.end <= reaction.index(">>")]
        assert max(reactants, key=lambda t: t.score).text == symbol


def test_a_known_truth_a_pronoun_looks_back(smollm2: ats.Model) -> None:
    """The demonstration's head: "him" attends to John, not to Mary."""
    story = "<|im_start|>Every morning Mary walked to the bridge, where John waited. Then Mary never saw him again."
    result = ats.attention(smollm2, story, layer=15, head=7, query="him")
    assert max(result.words, key=lambda w: w.score).text == "John"


@given(query=st.none() | st.integers(-5, 4), layer=st.integers(-6, 5), head=st.integers(0, 11))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_words_and_excluded_mass_add_up_to_one(minilm: ats.Model, query: int | None, layer: int, head: int) -> None:
    result = ats.attention(minilm, "Unbelievable castles!", layer=layer, head=head, query=query)
    assert result.excluded_mass is not None
    assert result.scores.sum() + result.excluded_mass == pytest.approx(1, abs=1e-5)
    assert (result.scores >= 0).all()


def test_a_causal_query_sees_nothing_after_itself(smollm2: ats.Model) -> None:
    result = ats.attention(smollm2, TEXT, layer="mean", head="max", query="castle")
    assert all(t.score == 0 for t in result.tokens[3:])


def test_chat_leaves_the_template_out_of_the_picture(smollm2: ats.Model) -> None:
    result = ats.attention(smollm2, "Which city is the capital of Japan?", layer=15, head="mean", chat=True)
    assert result.text == "Which city is the capital of Japan?"
    assert [w.text for w in result.words] == ["Which", "city", "is", "the", "capital", "of", "Japan", "?"]
    assert sum(t.special for t in result.tokens) > 20
    assert result.scores.sum() + result.excluded_mass == pytest.approx(1, abs=1e-5)


def test_encoder_decoder_shows_its_encoder() -> None:
    model = ats.Model(tiny("t5"), copy_tokenizer())
    result = ats.attention(model, "a b c d e", layer=1, head=3, query="d")
    inputs = tensors(model.model, encode(model.tokenizer, "a b c d e").inputs)
    np.testing.assert_allclose(result.token_scores, eager_attention(model.model, inputs)[1][0, 3, 3], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"layer": 30}, RangeError, r"layer 30 is out of range: the model has the layers 0 to 29"),
        ({"layer": -31}, RangeError, r"layers 0 to 29"),
        ({"layer": "max"}, RangeError, r'neither a number nor "mean"'),
        ({"layer": 1.5}, RangeError, r"neither a number"),
        ({"head": 9}, RangeError, r"head 9 is out of range: the model has the heads 0 to 8"),
        ({"head": True}, RangeError, r'neither a number nor "mean" or "max"'),
        ({"query": 2}, QueryError, r"query token 2 is out of range: the text has the tokens 0 to 1"),
        ({"query": "castel"}, QueryError, r"'castel' .* 'castle'"),
    ],
)
def test_what_is_out_of_range_says_the_range(
    smollm2: ats.Model, arguments: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        ats.attention(smollm2, "The castle", **arguments)


def test_texts_that_cannot_be_shown(smollm2: ats.Model) -> None:
    for text in ("", "<|im_start|><|im_end|>", "\ud800"):
        with pytest.raises(TextError):
            ats.attention(smollm2, text)
    with pytest.raises(TextTooLongError, match=r"8192.*--truncate"):
        ats.attention(smollm2, "word " * 9000)


def test_truncate_cuts_the_text(rxnmapper: ats.Model) -> None:
    result = ats.attention(rxnmapper, "C" * 600, layer=0, truncate=True)
    assert len(result.tokens) == 512
    assert result.text == "C" * 510
