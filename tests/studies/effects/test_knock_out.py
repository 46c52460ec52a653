"""`ats.knock_out`: values, tokens and ranking are those of the model without the parts, and it comes back whole."""

import threading
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import classifier, hybrid, small, tiny

import attnscope as ats
from attnscope.errors import InputError, ModelError, QueryError, RangeError
from attnscope.models.attention import interface
from attnscope.models.intervention import knock_out as running
from reference.knocked_out import given_to_projection, logits, without_heads

TEXT = "a b c d e f"


def _ids(text: str) -> dict[str, torch.Tensor]:
    return {"input_ids": torch.tensor([copy_tokenizer()(text)["input_ids"]])}


def test_the_values_are_those_of_a_model_edited_by_hand() -> None:
    model = small("llama")
    net = model.model
    found = ats.knock_out(model, TEXT, target=" g h", heads=[(0, 1), (-1, 3)])
    edited = without_heads(net, "llama", [(0, 1), (2, 3)], 4)
    ids = copy_tokenizer()("g h")["input_ids"]
    for value, one, shares in ((found.before, "before", net), (found.after, "after", edited)):
        rows = logits(shares, _ids(f"{TEXT} g"))[-2:].log_softmax(-1)
        each = [float(rows[i, identity]) for i, identity in enumerate(ids)]
        assert value == pytest.approx(sum(each), abs=1e-4)
        assert [getattr(token, one) for token in found.tokens] == pytest.approx(each, abs=1e-4)
        for ranked in found.ranking:
            letters = copy_tokenizer().get_vocab()
            identity = letters[ranked.text] if ranked.text in letters else int(ranked.text.removeprefix("token "))
            place = int((rows[0] > rows[0, identity]).sum()) + 1
            assert getattr(ranked, one) == pytest.approx(float(rows[0, identity].exp()), abs=1e-5)
            assert getattr(ranked, f"place_{one}") == place
    assert found.effect == found.before - found.after
    assert found.taken.heads == ((0, 1), (2, 3))
    assert "g" in [ranked.text for ranked in found.ranking], "the target's own, wherever it stands"


def test_a_mean_is_that_of_the_text_before_its_target_or_of_other_texts() -> None:
    model = small("llama")
    net = model.model
    for references, inputs in (((), [_ids(f"{TEXT}")]), (("x y z", "p q"), [_ids("x y z"), _ids("p q")])):
        found = ats.knock_out(
            model, TEXT, target=" g h", quantity="logit", heads=[(1, 2)], how="mean", references=references
        )
        given = torch.cat([given_to_projection(net, "llama", 1, one) for one in inputs])
        mean = given.view(len(given), 4, -1)[:, 2].mean(0)
        rows = logits(without_heads(net, "llama", [(1, 2)], 4, mean), _ids(f"{TEXT} g"))[-2:]
        expected = sum(float(rows[i, one]) for i, one in enumerate(copy_tokenizer()("g h")["input_ids"]))
        assert found.after == pytest.approx(expected, abs=1e-4)
        assert found.after != pytest.approx(found.before, abs=1e-4)


def test_draws_have_a_standard_error_and_a_seed() -> None:
    model = small("llama")

    def drawn(**options: Any) -> ats.Effect:
        return ats.knock_out(model, TEXT, target=" g", heads=[(1, 2)], how="resample", **options)

    many = drawn(samples=64)
    assert drawn(samples=64) == many
    few = drawn(samples=4)
    assert few.standard_error is not None
    assert many.standard_error is not None
    assert 0 < many.standard_error < few.standard_error
    assert drawn(samples=64, seed=1).after != many.after
    assert drawn(samples=1).standard_error is None


@pytest.mark.parametrize("quantity", ["log_probability", "loss", "logit", "probability"])
def test_a_drawn_targets_only_token_has_the_targets_own_values(quantity: Any) -> None:
    found = ats.knock_out(
        small("llama"), TEXT, target=" g", heads=[(1, 2), (2, 0), (0, 1)], how="resample", quantity=quantity
    )
    (token,) = found.tokens
    assert (token.before, token.after) == pytest.approx((found.before, found.after), abs=1e-6)


def test_an_edge_to_a_word_is_an_edge_to_its_tokens() -> None:
    model = small("llama")
    by_word = ats.knock_out(model, TEXT, target=" g", edges=[("f", "b")])
    by_index = ats.knock_out(model, TEXT, target=" g", edges=[(-1, 1)])
    assert by_word.after == by_index.after != by_word.before
    everything = ats.knock_out(model, TEXT, target=" g", edges=[(None, "b")])
    each = ats.knock_out(model, TEXT, target=" g", edges=[(word, "b") for word in "cdef"])
    assert everything.after == pytest.approx(each.after, abs=1e-6)
    one_layer = ats.knock_out(model, TEXT, target=" g", edges=[("f", "b")], edge_layers=[0])
    assert one_layer.after not in (by_word.after, by_word.before)
    kept = ats.knock_out(model, TEXT, target=" g", edges=[("f", "b")], renormalise=False)
    assert kept.after != by_word.after


def test_without_any_way_to_a_word_it_is_as_if_it_were_another() -> None:
    """Planted: once no token can see it, what stands there makes no difference."""
    model = small("llama")
    cut = [ats.knock_out(model, text, target=" g", edges=[(None, 1)]).after for text in ("a b c d e f", "a x c d e f")]
    assert cut[0] == pytest.approx(cut[1], abs=1e-5)


def test_a_word_is_overwritten_in_its_place() -> None:
    model = small("llama")
    found = ats.knock_out(model, TEXT, target=" g", words=["b"], replacement="pad")
    rows = logits(model.model, _ids("a [PAD] c d e f"))[-1].log_softmax(-1)
    assert found.after == pytest.approx(float(rows[copy_tokenizer()("g")["input_ids"][0]]), abs=1e-5)
    zero = ats.knock_out(model, TEXT, target=" g", words=["b"], replacement="zero", heads=[(0, 0)])
    assert zero.after not in (found.after, zero.before)


@pytest.mark.parametrize(
    "taken", [{}, {"heads": [(1, 2)]}, {"heads": [(1, 2)], "edges": [("f", "c")]}, {"layers": [1]}]
)
def test_words_that_are_left_out_leave_the_text_that_would_be_written_without_them(taken: dict[str, Any]) -> None:
    model = small("llama", sharp=2.0)
    effect = ats.knock_out(model, "a b c d e f", target=" g", words=["b", "d"], replacement="delete", **taken)
    whole = ats.explain(model, "a b c d e f", "gradient", target=" g").measured.value
    assert effect.before == pytest.approx(whole, abs=1e-5)
    if taken:
        again = ats.knock_out(model, "a c e f", target=" g", **taken)
        assert effect.after == pytest.approx(again.after, abs=1e-5)
        assert {r.text: r.after for r in effect.ranking}.items() >= {again.ranking[0].text: pytest.approx(
            again.ranking[0].after, abs=1e-5)}.items()  # fmt: skip
    else:
        shorter = ats.explain(model, "a c e f", "gradient", target=" g").measured.value
        assert effect.after == pytest.approx(shorter, abs=1e-5)
        assert effect.notes[-1] == "Words were left out."


def test_the_loss_of_a_text_is_the_mean_of_its_tokens() -> None:
    found = ats.knock_out(small("gpt2"), TEXT, layers=[1])
    assert found.quantity == "loss"
    assert found.before == pytest.approx(sum(token.before for token in found.tokens) / 5, abs=1e-6)
    assert [token.text for token in found.tokens] == list("bcdef")


def test_generated_tokens_have_values_of_their_own() -> None:
    found = ats.knock_out(small("gpt2"), TEXT, generate=3, words=["c"], replacement="zero")
    assert len(found.tokens) == 3
    assert found.effect != 0
    assert found.before == pytest.approx(sum(token.before for token in found.tokens), abs=1e-5)


@pytest.mark.parametrize("stack", ["encoder", "decoder", "cross"])
@pytest.mark.parametrize("family", ["t5", "bart"])
def test_an_encoder_decoder_has_three_kinds_of_heads_and_edges(family: str, stack: Any) -> None:
    model = small(family)
    heads = ats.knock_out(model, TEXT, target="g h i", heads=[(1, 2)], stack=stack)
    assert heads.effect != 0
    edge = (2, 1) if stack == "decoder" else (1, "c") if stack == "cross" else ("a", "c")
    assert ats.knock_out(model, TEXT, target="g h i", edges=[edge], stack=stack).effect != 0
    assert len(heads.tokens) >= 3


def test_a_classifier_ranks_its_labels() -> None:
    model = classifier("Sequence")
    found = ats.knock_out(model, TEXT, target="POSITIVE", heads=[(0, 1)])
    assert {ranked.text for ranked in found.ranking} == {"NEGATIVE", "NEUTRAL", "POSITIVE"}
    assert sum(ranked.after for ranked in found.ranking) == pytest.approx(1)
    assert found.tokens == ()
    at_token = ats.knock_out(classifier("Token"), TEXT, target="POSITIVE", position="c", layers=[1])
    assert len(at_token.ranking) == 3


@pytest.mark.parametrize("stack", ["encoder", "decoder", "cross"])
def test_a_classifier_with_a_decoder_reads_the_text_in_it_one_token_later(stack: Any) -> None:
    torch.manual_seed(0)
    settings: dict[str, Any] = dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 4)
    settings |= dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 48)
    settings |= {"encoder_layers": 2, "decoder_layers": 2, "eos_token_id": 9, "decoder_start_token_id": 9}
    config = hf.BartConfig(vocab_size=64, d_model=32, pad_token_id=0, bos_token_id=1, init_std=0.3, **settings)
    net = hf.BartForSequenceClassification(config).eval()
    watch(net)
    model = ats.Model(net, copy_tokenizer())
    by_word = ats.knock_out(model, TEXT, target=1, edges=[("e", "b")], stack=stack)
    queries, keys = {"encoder": (4, 1), "decoder": (5, 2), "cross": (5, 1)}[stack]
    by_index = ats.knock_out(model, TEXT, target=1, edges=[(queries, keys)], stack=stack)
    assert by_word.after == by_index.after != by_word.before
    drawn = ats.knock_out(model, TEXT, target=1, heads=[(1, 2)], stack=stack, how="resample")
    assert drawn.effect != 0


def test_a_similarity_has_neither_tokens_nor_a_ranking(minilm: ats.Model) -> None:
    model = ats.Model(minilm.model, minilm.tokenizer, pooling="mean")
    found = ats.knock_out(model, "The film was great.", similar_to="I liked the movie.", heads=[(2, 3)], layers=[4])
    assert found.ranking == found.tokens == ()
    assert -1 <= found.after < found.before <= 1


def test_a_contrast_of_two_texts_takes_two_passes() -> None:
    model = small("llama")
    both = ats.knock_out(model, TEXT, target=" g h", against=" i j k", heads=[(1, 1)])
    one, other = (ats.knock_out(model, TEXT, target=t, heads=[(1, 1)]) for t in (" g h", " i j k"))
    assert both.after == pytest.approx(one.after - other.after, abs=1e-5)


def test_a_layer_of_linear_attention_is_taken_away_whole_or_not_at_all() -> None:
    net = hybrid("qwen3_next")
    model = ats.Model(net, copy_tokenizer())
    assert ats.knock_out(model, TEXT, target=" g", layers=[0]).effect != 0
    with pytest.raises(RangeError, match="layer 0 of Qwen3NextForCausalLM is linear attention"):
        ats.knock_out(model, TEXT, target=" g", heads=[(0, 1)])
    with pytest.raises(RangeError, match="layers with weights: 3, 7"):
        ats.knock_out(model, TEXT, target=" g", edges=[("f", "a")], edge_layers=[0])
    found = ats.knock_out(model, TEXT, target=" g", edges=[("f", "a")])
    assert found.taken.edge_layers == (3, 7)
    assert any("Tokens also mix in 6 layers" in note for note in found.notes)


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({}, InputError, "nothing is to be taken away"),
        ({"heads": [(9, 0)]}, RangeError, "the layer 9 is out of range"),
        ({"heads": [(0, 4)]}, RangeError, "the head 4 is out of range"),
        ({"heads": [3]}, InputError, r"no pair \(layer, head\)"),
        ({"heads": [(0, 1)], "how": "noise"}, InputError, "zero, mean, resample"),
        ({"edges": [("b", "f")]}, InputError, "give the later word first"),
        ({"edges": [("f", "zebra")]}, QueryError, "zebra"),
        ({"edges": [(None, None)]}, InputError, "one may be None"),
        ({"edges": [("f", "a")], "edge_layers": []}, InputError, "edge_layers is empty"),
        ({"layers": [3]}, RangeError, "out of range"),
        ({"words": ["b"], "replacement": "nothing"}, InputError, "choose from .*delete"),
        ({"words": ["b"], "replacement": "delete", "target": None}, InputError, "choose another replacement"),
        ({"words": list("abcdef"), "replacement": "delete"}, InputError, "nothing stands before the target"),
        ({"words": [6]}, QueryError, "out of range"),
        ({"heads": [(0, 0)], "stack": "cross"}, ModelError, "no 'cross' attention"),
        ({"heads": [(0, 0)], "how": "resample", "samples": 0}, InputError, "whole numbers above 0"),
        # What would be left out of account.
        ({"words": ["b"], "how": "mean"}, InputError, "how is about heads, and none are taken away"),
        ({"heads": [(0, 0)], "edge_layers": [0]}, InputError, "edge_layers is about edges"),
        ({"heads": [(0, 0)], "renormalise": False}, InputError, "renormalise is about edges"),
        ({"heads": [(0, 0)], "replacement": "mask"}, InputError, "replacement is about words"),
        ({"heads": [(0, 0)], "references": ["x y"]}, InputError, 'how="mean" or "resample"'),
        ({"heads": [(0, 0)], "how": "mean", "references": "x y"}, InputError, "give a list of them"),
        ({"layers": 1.5}, InputError, "layers=1.5: give a list"),
    ],
)
def test_what_cannot_be_taken_away_is_refused(asked: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        ats.knock_out(small("llama"), TEXT, **{"target": " g", **asked})


def test_one_word_is_one_and_numbers_of_numpy_are_numbers() -> None:
    model = small("llama")
    one = ats.knock_out(model, TEXT, target=" g", words="b", replacement="zero")
    assert one == ats.knock_out(model, TEXT, target=" g", words=["b"], replacement="zero")
    twice = ats.knock_out(model, TEXT, target=" g", heads=[(0, 1), (-3, -3)], words=["b", "b"])
    assert (twice.taken.heads, len(twice.taken.words)) == (((0, 1),), 1)
    drawn = ats.knock_out(model, TEXT, target=" g", heads=np.array([[0, 1]]), how="resample", samples=np.int64(3))
    assert drawn == ats.knock_out(model, TEXT, target=" g", heads=[(0, 1)], how="resample", samples=3)


def test_a_list_of_texts_is_refused() -> None:
    with pytest.raises(InputError, match="one text"):
        ats.knock_out(small("llama"), [TEXT, TEXT], heads=[(0, 0)])  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_the_model_comes_back_as_it_was(error: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    """The fixture of every test compares hooks, forwards and attention; here in the middle of a pass."""
    model = small("llama")
    before = ats.knock_out(model, TEXT, target=" g", heads=[(0, 1)])

    def stop(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(running, "_without_heads", stop)
        with pytest.raises(error):
            ats.knock_out(model, TEXT, target=" g", heads=[(0, 1)], edges=[("f", "a")], layers=[1])
    assert not interface._watchers
    assert ats.knock_out(model, TEXT, target=" g", heads=[(0, 1)]) == before


def test_a_pass_of_another_thread_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while heads, edges and layers are gone here."""
    model = small("llama")
    inputs = _ids(TEXT)
    expected = logits(model.model, inputs)
    found: list[torch.Tensor] = []
    whole = running._without_heads

    def meanwhile(*given: Any) -> Any:
        if not found:
            other = threading.Thread(target=lambda: found.append(logits(model.model, inputs)))
            other.start()
            other.join()
        return whole(*given)

    monkeypatch.setattr(running, "_without_heads", meanwhile)
    changed = ats.knock_out(model, TEXT, target=" g", heads=[(0, 1)], edges=[("f", "a")], layers=[1])
    torch.testing.assert_close(found[0], expected)
    assert changed.effect != 0


def test_a_model_without_a_head_to_predict_with_is_refused() -> None:
    net = hf.LlamaModel(tiny("llama").config).eval()
    watch(net)
    with pytest.raises(ModelError, match="no language-model head"):
        ats.knock_out(ats.Model(net, copy_tokenizer()), TEXT, heads=[(0, 0)])
