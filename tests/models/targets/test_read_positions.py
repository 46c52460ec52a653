"""Where a target is read: at its own positions, or where the body's output makes a difference to it."""

import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import SIZE, causal_classifier, classifier, small

import attnscope as ats
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.targets.read_positions import read_positions
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Target

TEXT = "a b c d e f"


def read_at(model: ats.Model, stack: str = "self", **target: object) -> tuple[int, ...]:
    (encoded,) = encoded_texts(model, TEXT)
    (readout,) = resolve(model, encoded, Target(**target)).readouts  # type: ignore[arg-type]
    return read_positions(model.model, readout, stack)


def test_a_continuation_is_read_before_each_of_its_tokens() -> None:
    assert read_at(small("llama"), target=" g h") == (5, 6)


def test_a_label_is_read_off_the_first_token_the_last_or_an_encoder() -> None:
    assert read_at(classifier("Sequence")) == (0,)
    assert read_at(causal_classifier()) == (5,)
    assert read_at(classifier("Token"), target="POSITIVE", position="c") == (2,)
    assert read_at(small("t5"), "encoder", target="g h") == tuple(range(6))
    assert read_at(small("t5"), "cross", target="g h")[:2] == (0, 1)


@pytest.mark.parametrize(("pooling", "expected"), [("mean", tuple(range(6))), ("cls", (0,)), ("last", (5,))])
def test_a_vector_is_read_off_the_tokens_that_are_pooled(pooling: str, expected: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    net = hf.BertModel(hf.BertConfig(**SIZE)).eval()
    watch(net)
    assert read_at(ats.Model(net, copy_tokenizer(), pooling=pooling), similar_to="g h") == expected
