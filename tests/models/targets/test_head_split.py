"""The head apart from the body gives the model's own logits, for every family; or says that it cannot."""

import pytest
import torch
import transformers as hf
from planted import CopyBack
from snapshot import watch
from tiny_models import FAMILIES, SIZE, tiny

from attnscope.errors import ModelError
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.targets.head_split import HeadNotSeparableError, logits_of, split_at_head

IDS = torch.arange(3, 13)[None]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_heads_logits_are_the_models(family: str) -> None:
    net = tiny(family)
    inputs = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}
    if family in ("t5", "bart"):
        inputs["decoder_input_ids"] = IDS[:, :4]
    with unchanged(net), torch.no_grad():
        expected = logits_of(net, inputs)
        with split_at_head(net, inputs) as (hidden, head):
            assert hidden.shape[:2] == expected.shape[:2]
            torch.testing.assert_close(head(hidden), expected, atol=1e-5, rtol=1e-5)
            chosen = head(hidden[:, [3, 1]])
    torch.testing.assert_close(chosen, expected[:, [3, 1]], atol=1e-5, rtol=1e-5)


def test_the_body_runs_once_and_the_head_not_at_all_until_it_is_asked() -> None:
    net = CopyBack.make(2)
    ran: list[str] = []
    with unchanged(net), torch.no_grad():
        net.model.embed_tokens.register_forward_hook(lambda *_: ran.append("body"))
        net.lm_head.register_forward_hook(lambda *_: ran.append("head"))
        with split_at_head(net, {"input_ids": IDS}) as (hidden, head):
            assert ran == ["body"]
            head(hidden[:, :1])
    assert ran == ["body", "head"]


class Unusual(hf.LlamaForCausalLM):
    """Does not call its body as a module."""

    def forward(self, input_ids: torch.Tensor) -> object:
        hidden = self.model.forward(input_ids=input_ids).last_hidden_state
        return hf.modeling_outputs.CausalLMOutput(logits=self.lm_head(hidden))


def test_a_head_that_does_not_come_apart() -> None:
    bare = hf.BertModel(hf.BertConfig(**SIZE)).eval()
    unusual = Unusual(hf.LlamaConfig(**SIZE)).eval()
    for net, says in ((bare, "BertModel does not separate"), (unusual, "Unusual does not call its body")):
        watch(net)
        with pytest.raises(HeadNotSeparableError, match=says), split_at_head(net, {"input_ids": IDS}):
            pass
    assert issubclass(HeadNotSeparableError, ModelError), "should it ever reach a user, it says what is wrong"
