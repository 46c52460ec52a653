"""Whose tokens query and whose are the keys: batches, continuations, and a decoder's text."""

from copy import deepcopy

import numpy as np
import pytest
from planted import copy_tokenizer
from tiny_models import tiny
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

import attnscope as ats
from attnscope.errors import InputError, ModelError
from attnscope.models.attention.query_key_batch import query_key_batches, query_key_texts
from attnscope.models.inputs.encode import encode
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Target

TEXTS = ["a b c", "a b c d e", "x y z"]


def test_one_stack_has_one_text_each_and_the_longest_comes_first() -> None:
    model = ats.Model(tiny("llama"), copy_tokenizer())
    batches = list(query_key_batches(query_key_texts(model, TEXTS), budget=6))
    assert [batch.members for batch in batches] == [(1,), (0, 2)]
    assert all(batch.queries is batch.keys and batch.stack == "self" for batch in batches)
    assert [text.text for text in batches[1].queries] == ["a b c", "x y z"]
    assert batches[1].inputs["input_ids"].shape == (2, 3)


def test_a_continuation_is_part_of_the_text() -> None:
    model = ats.Model(tiny("llama"), copy_tokenizer())
    (batch,) = query_key_batches(query_key_texts(model, "a b", target=" c d"))
    assert batch.queries[0].text == "a b c d"
    assert batch.prompts == (3,)
    asked = query_key_texts(model, "a b", generate=2)
    assert (asked.generate, len(asked.encoded[0].tokens)) == (2, 2), "nothing is generated before it is asked for"
    (batch,) = query_key_batches(asked)
    assert len(batch.queries[0].tokens) == 4


def test_a_decoder_reads_its_own_text() -> None:
    model = ats.Model(tiny("t5"), copy_tokenizer())
    (cross,) = query_key_batches(query_key_texts(model, "a b c", stack="cross", target="d e"))
    assert (cross.queries[0].text, cross.keys[0].text) == ("d e", "a b c")
    assert [token.special for token in cross.queries[0].tokens] == [True, False, False]
    assert cross.inputs["decoder_input_ids"].tolist() == [cross.queries[0].inputs["input_ids"]]
    (decoder,) = query_key_batches(query_key_texts(model, "a b c", stack="decoder", target="d e"))
    assert decoder.queries is decoder.keys or decoder.queries == decoder.keys


@pytest.mark.parametrize(
    ("family", "given", "error", "says"),
    [
        ("llama", {"target": "a", "generate": 2}, InputError, "give one"),
        ("llama", {"generate": 0}, InputError, "1 or more"),
        ("llama", {"stack": "cross"}, ModelError, "no 'cross' attention"),
        ("t5", {"target": "a"}, InputError, "the encoder reads nothing but the text"),
        ("t5", {"stack": "decoder"}, InputError, "needs a text that the decoder reads"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(
    family: str, given: dict[str, object], error: type[Exception], says: str
) -> None:
    model = ats.Model(tiny(family), copy_tokenizer())
    with pytest.raises(error, match=says):
        query_key_texts(model, "a b", **given)


def bart_tokenizer() -> PreTrainedTokenizerFast:
    """`copy_tokenizer` with BART's special tokens around a text."""
    tokenizer = deepcopy(copy_tokenizer())  # what is watched may not change
    tokenizer.add_special_tokens({"bos_token": "<s>", "eos_token": "</s>"})
    around = [(name, tokenizer.convert_tokens_to_ids(name)) for name in ("<s>", "</s>")]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=around)
    return tokenizer


@pytest.mark.parametrize("stack", ["cross", "decoder"])
def test_a_decoder_reads_the_special_tokens_of_its_text(stack: str) -> None:
    net, tokenizer = tiny("bart"), bart_tokenizer()
    model = ats.Model(net, tokenizer)
    ids = tokenizer("d É e")["input_ids"]  # the word in the middle is unknown to the tokenizer
    (batch,) = query_key_batches(query_key_texts(model, "a b c", stack=stack, target="d É e"))
    read = batch.inputs["decoder_input_ids"]
    assert read.tolist() == [[net.config.decoder_start_token_id, *ids[:-1]]]
    (explained,) = resolve(model, encode(tokenizer, "a b c"), Target(target="d É e")).readouts
    assert read[0].tolist() == list(explained.decoder)
    tokens = batch.queries[0].tokens
    assert [token.special for token in tokens] == [True, True, False, False, False]
    assert [token.text for token in tokens][1:] == ["<s>", "d", "É", "e"]

    copy = deepcopy(net)
    copy.set_attn_implementation("eager")
    outputs = copy(**tokenizer("a b c", return_tensors="pt"), decoder_input_ids=read, output_attentions=True)
    theirs = outputs.cross_attentions if stack == "cross" else outputs.decoder_attentions
    for position in range(len(tokens)):
        row = ats.attention(model, "a b c", stack=stack, target="d É e", query=position, layer=1, head=2).token_scores
        expected = theirs[1][0, 2, position].detach().numpy()
        np.testing.assert_allclose(row, expected, atol=1e-5)


def test_attention_can_be_asked_for_a_target_that_begins_with_a_special_token() -> None:
    model = ats.Model(tiny("bart"), bart_tokenizer())
    result = ats.explain(model, "a b c", method="attention", target="d e")
    assert sum(result.token_scores) == pytest.approx(1, abs=1e-5)
