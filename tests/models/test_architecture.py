"""What a model is, and its parts, over the families."""

import pytest
import transformers as hf
from planted import CopyBack
from snapshot import watch
from tiny_models import CAUSAL, ENCODER_DECODER, MASKED, SIZE, classifier, tiny

from attnscope.models.architecture import accepted, embedding_layer, is_encoder_decoder, self_attention_body, task_of


@pytest.mark.parametrize(
    ("families", "task"), [(CAUSAL, "causal"), (MASKED, "masked"), (ENCODER_DECODER, "encoder-decoder")]
)
def test_tasks(families: dict[str, object], task: str) -> None:
    for family in families:
        net = tiny(family)
        assert task_of(net) == task, family
        assert is_encoder_decoder(net) == (task == "encoder-decoder")
        assert embedding_layer(net).weight.shape[0] == 64


def test_classifiers_a_bare_body_and_a_model_of_an_unknown_name() -> None:
    assert task_of(classifier("Sequence").model) == "classifier"
    assert task_of(classifier("Token").model) == "token classifier"
    assert task_of(CopyBack.make(2)) == "causal"
    bare = hf.BertModel(hf.BertConfig(**SIZE)).eval()
    watch(bare)
    assert task_of(bare) == ""
    assert self_attention_body(bare) is bare


def test_the_body_reads_the_text() -> None:
    causal, both = tiny("llama"), tiny("t5")
    assert self_attention_body(causal) is causal.model
    assert self_attention_body(both) is both.get_encoder()


def test_only_what_a_forward_names_is_passed_and_never_a_cache() -> None:
    given = {"input_ids": 1, "attention_mask": 2, "token_type_ids": 3}
    assert accepted(tiny("llama"), given) == {"input_ids": 1, "attention_mask": 2, "use_cache": False}
    assert accepted(tiny("bert"), given) == given
    assert accepted(CopyBack.make(2), {**given, "use_cache": True}) == {"input_ids": 1, "attention_mask": 2}
