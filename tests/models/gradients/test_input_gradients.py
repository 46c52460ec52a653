"""Gradients at the embeddings equal plain autograd on the unmodified model."""

import copy

import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import FAMILIES, tiny

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models import activation_checkpointing
from attnscope.models.architecture import self_attention_body
from attnscope.models.gradients.input_gradients import gradients
from attnscope.models.inputs.batching import tensors
from attnscope.models.inputs.encode import Encoded, encode
from attnscope.models.targets import lm_head
from attnscope.models.targets.resolve import resolve
from attnscope.text.words import TokenSpan
from reference.textbook import autograd_gradient


def some_ids(length: int = 40) -> dict[str, torch.Tensor]:
    torch.manual_seed(2)
    ids = torch.randint(3, 64, (1, length))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def encoded_ids(inputs: dict[str, torch.Tensor]) -> Encoded:
    ids = inputs["input_ids"][0].tolist()
    tokens = tuple(TokenSpan("", 0, 0, False) for _ in ids)
    return Encoded("", {name: value[0].tolist() for name, value in inputs.items()}, tokens, ())


def gradient_at_embeddings(net: hf.PreTrainedModel, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, float]:
    """The default target's gradient (token, hidden), and its value."""
    objective = resolve(ats.Model(net, copy_tokenizer()), encoded_ids(inputs))
    ((_, found),) = gradients(net, objective.readouts)
    return found.vectors[0], found.values[0].item()


def assert_equal(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """Within 1e-4 of the largest score, as scores and as vectors."""
    largest = theirs.norm(dim=1).max()
    assert largest > 0
    assert (ours - theirs).norm(dim=1).max() < 1e-4 * largest


def positions_at_once(positions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many positions go through the vocabulary head at once."""
    monkeypatch.setattr(lm_head, "LOGITS_BYTES", 0)
    monkeypatch.setattr(lm_head, "FEWEST", positions)


@pytest.mark.parametrize("chunk", [7, 128])
@pytest.mark.parametrize("family", FAMILIES)
def test_gradient_equals_autograd(family: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    positions_at_once(chunk, monkeypatch)
    # T5 neither scales nor caps its attention: sharpened weights make it chaotic in float32.
    net = tiny(family, sharp=1.0 if family == "t5" else 6.0)
    inputs = some_ids()
    expected, loss = autograd_gradient(net, inputs)
    gradient, ours = gradient_at_embeddings(net, inputs)
    assert ours == pytest.approx(loss, rel=1e-5)
    assert_equal(gradient, expected)
    assert all(p.grad is None and p.requires_grad for p in net.parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_recomputed_layers_give_the_same(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = tiny(family)
    expected, _ = gradient_at_embeddings(net, some_ids())
    monkeypatch.setattr(activation_checkpointing, "SAVED_BYTES", 0)
    monkeypatch.setattr(activation_checkpointing, "LARGE", 0)
    again, _ = gradient_at_embeddings(net, some_ids())
    assert_equal(again, expected)


@pytest.mark.parametrize("text", ["The castle on the hill was old.", "熊本県の天気は晴れです。😀"])
def test_real_causal_model(smollm2: ats.Model, text: str) -> None:
    inputs = tensors(smollm2.model, encode(smollm2.tokenizer, text).inputs)
    expected, loss = autograd_gradient(smollm2.model, inputs)
    gradient, ours = gradient_at_embeddings(smollm2.model, inputs)
    assert ours == pytest.approx(loss, rel=1e-5)
    assert_equal(gradient, expected)


def test_real_masked_model(rxnmapper: ats.Model) -> None:
    inputs = tensors(rxnmapper.model, encode(rxnmapper.tokenizer, "CC(=O)Cl.OCC>>CC(=O)OCC").inputs)
    expected, loss = autograd_gradient(rxnmapper.model, inputs)
    gradient, ours = gradient_at_embeddings(rxnmapper.model, inputs)
    assert ours == pytest.approx(loss, rel=1e-5)
    assert_equal(gradient, expected)


def test_the_vocabulary_head_sees_few_positions_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    net = tiny("llama")
    positions_at_once(8, monkeypatch)
    lengths = []
    net.lm_head.register_forward_hook(lambda _m, args, _o: lengths.append(args[0].shape[1]))
    watch(net)
    gradient_at_embeddings(net, some_ids(20))  # what is tried once a model is tried
    lengths.clear()
    gradient_at_embeddings(net, some_ids(20))
    assert lengths == [8, 8, 3]  # the last token predicts nothing: it is not asked


@pytest.mark.parametrize("kind", ["Sequence", "Token"])
def test_classifiers_explain_their_own_prediction(kind: str) -> None:
    torch.manual_seed(0)
    config = hf.BertConfig(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_labels=3
    )
    net = getattr(hf, f"BertFor{kind}Classification")(config).eval()
    inputs = some_ids(12)
    gradient, loss = gradient_at_embeddings(net, inputs)
    embeddings = net.get_input_embeddings()(inputs["input_ids"]).detach().requires_grad_()
    logits = net(inputs_embeds=embeddings, attention_mask=inputs["attention_mask"]).logits.reshape(-1, 3)
    expected = logits.log_softmax(-1).max(-1).values.mean()  # of the whole text's labels the loss
    expected = expected if kind == "Sequence" else -expected
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert_equal(gradient, torch.autograd.grad(expected, embeddings)[0][0])


def test_a_bare_encoder_has_no_loss(minilm: ats.Model) -> None:
    with pytest.raises(ModelError, match="no language-model head"):
        gradient_at_embeddings(minilm.model, tensors(minilm.model, encode(minilm.tokenizer, "some text").inputs))


def test_one_token_predicts_nothing() -> None:
    with pytest.raises(ModelError, match="one token long"):
        gradient_at_embeddings(tiny("llama"), some_ids(1))


@pytest.mark.parametrize("family", ["llama", "t5", "bert"])
def test_the_model_comes_back_after_an_interrupt(family: str) -> None:
    net = tiny(family).train()
    frozen = next(net.parameters())
    frozen.requires_grad_(False)
    watch(net)
    before = [(name, p.requires_grad) for name, p in net.named_parameters()]
    hooks = [len(m._forward_hooks) for m in net.modules()]

    class Interrupts(torch.autograd.Function):
        @staticmethod
        def forward(_context: object, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def backward(_context: object, _gradient: torch.Tensor) -> torch.Tensor:
            raise KeyboardInterrupt

    body = self_attention_body(net)
    linear = next(module for module in body.modules() if isinstance(module, torch.nn.Linear))
    handle = linear.register_forward_hook(lambda _module, _args, output: Interrupts.apply(output))
    with pytest.raises(KeyboardInterrupt):
        gradient_at_embeddings(net, some_ids(12))
    handle.remove()
    assert [(name, p.requires_grad) for name, p in net.named_parameters()] == before
    assert [len(m._forward_hooks) for m in net.modules()] == hooks
    assert not any("forward" in m.__dict__ for m in net.modules())
    assert net.training


@pytest.mark.parametrize("family", ["llama", "bert"])
def test_a_float64_models_values_and_gradients_are_as_exact_as_it_is(family: str) -> None:
    net, inputs = copy.deepcopy(tiny(family)).double(), some_ids(12)
    gradient, loss = gradient_at_embeddings(net, inputs)
    embeddings = net.get_input_embeddings()(inputs["input_ids"]).detach().requires_grad_()
    logs = net(inputs_embeds=embeddings, attention_mask=inputs["attention_mask"]).logits[0].log_softmax(-1)
    ids = inputs["input_ids"][0, :, None]
    expected = -(logs[:-1].gather(1, ids[1:]) if family == "llama" else logs.gather(1, ids)).mean()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    (slopes,) = torch.autograd.grad(expected, embeddings)
    assert (gradient - slopes[0]).abs().max() < 1e-11 * slopes.abs().max()
