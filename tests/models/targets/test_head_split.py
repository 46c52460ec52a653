"""The head apart from the body gives the model's own logits, for every family; or says that it cannot."""

import pytest
import torch
import transformers as hf
from planted import CopyBack, copy_tokenizer
from snapshot import watch
from tiny_models import FAMILIES, SIZE, tiny

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.targets.head_split import HeadNotSeparableError, has_separate_head, logits_of, split_at_head

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


def _decoder_alone(name: str) -> hf.PreTrainedModel:
    """A decoder that stands alone, or one whose body or head is not where most have it."""
    sizes = SIZE | {"cls_token_id": 1, "sep_token_id": 2}
    bart = {"d_model": 32, "decoder_layers": 2, "decoder_attention_heads": 4, "decoder_ffn_dim": 48, "vocab_size": 64}
    bart |= {"is_decoder": True, "is_encoder_decoder": False}
    prophet = {"vocab_size": 64, "hidden_size": 32, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "init_std": 0.3}
    prophet |= {"num_encoder_layers": 2, "num_decoder_layers": 2, "num_encoder_attention_heads": 4}
    prophet |= {"num_decoder_attention_heads": 4, "max_position_embeddings": 96, "decoder_start_token_id": 1}
    models = {
        "modernbert_decoder": lambda: hf.ModernBertDecoderForCausalLM(hf.ModernBertDecoderConfig(**sizes)),
        "bart_decoder": lambda: hf.BartForCausalLM(hf.BartConfig(**bart)),
        "prophetnet": lambda: hf.ProphetNetForConditionalGeneration(hf.ProphetNetConfig(**prophet)),
        "encoder_decoder": lambda: hf.EncoderDecoderModel(
            hf.EncoderDecoderConfig.from_encoder_decoder_configs(
                hf.BertConfig(**SIZE),
                hf.BertConfig(**SIZE, is_decoder=True, add_cross_attention=True),
                decoder_start_token_id=1,
                pad_token_id=0,
            )
        ),
    }
    torch.manual_seed(0)
    net: hf.PreTrainedModel = models[name]().eval()
    watch(net)
    return net


@pytest.mark.parametrize(
    ("name", "separate"),
    [("modernbert_decoder", True), ("bart_decoder", True), ("encoder_decoder", True), ("prophetnet", False)],
)
def test_a_head_in_an_odd_place_is_found_or_the_whole_model_runs(name: str, separate: bool) -> None:
    net = _decoder_alone(name)
    assert has_separate_head(net) is separate
    model = ats.Model(net, copy_tokenizer())
    inputs = {"input_ids": torch.tensor([[3, 4, 5, 6, 7]]), "use_cache": False}
    if net.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = torch.tensor([[1, 3, 4, 5, 6]])
        asked, expected_ids = slice(0, 5), [3, 4, 5, 6, 7]
    else:
        asked, expected_ids = slice(0, 4), [4, 5, 6, 7]
    text = model.tokenizer.decode([3, 4, 5, 6, 7])
    with torch.no_grad():
        logs = net(**inputs).logits[0, asked].log_softmax(-1)
    expected = -logs.gather(1, torch.tensor(expected_ids)[:, None]).mean().item()
    assert ats.explain(model, text, method="gradient").measured.value == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("on", ["model", "model.layers.2", "model.embed_tokens", "lm_head"])
def test_a_users_hook_acts_once(on: str) -> None:
    net = tiny("llama")
    halved = lambda _module, _args, output: output * 0.5 if isinstance(output, torch.Tensor) else _half(output)  # noqa: E731
    net.get_submodule(on).register_forward_hook(halved)
    watch(net)
    model = ats.Model(net, copy_tokenizer())
    ids = model.tokenizer("a b c d", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        expected = net(ids).logits[0, -1].log_softmax(-1)[5].item()
    target = " " + model.tokenizer.decode([5])
    for method in ("gradient", "deletion"):
        found = ats.explain(model, "a b c d", method=method, target=target).measured.value
        assert found == pytest.approx(expected, rel=1e-5)


def _half(output: object) -> object:
    output.last_hidden_state = output.last_hidden_state * 0.5  # type: ignore[attr-defined]
    return output
