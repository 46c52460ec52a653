"""A model as transformers and autograd run it, without attnscope: what the checks hold its answers against."""

import inspect
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from families.cases import Case
from reference.eager import eager_copy

WRITERS = ("causal", "seq2seq", "multimodal")
CLASSIFIERS = ("seqcls", "tokcls")
# Of the outputs that have them, which attention is which.
_OUTPUTS = {
    "self": "attentions",
    "encoder": "encoder_attentions",
    "decoder": "decoder_attentions",
    "cross": "cross_attentions",
}


@dataclass(frozen=True)
class Question:
    """What is asked of a text, twice the same: as attnscope's options, and as a function of the model's logits.

    masked:  the token that is masked. decoder: what the decoder reads. positions: of the logits that are read.
    """

    options: dict[str, Any]
    value: Callable[[Tensor], Tensor]
    masked: int | None = None
    decoder: Sequence[int] | None = None
    positions: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plain:
    """A copy of the model that attnscope never sees."""

    case: Case
    net: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast

    @property
    def two_stacks(self) -> bool:
        """Whether it has an encoder and a decoder."""
        # UMT5 for token classification is an encoder whose configuration is of both.
        stated = bool(getattr(self.net.config, "is_encoder_decoder", False))
        return stated and self.net.get_decoder() not in (self.net, self.net.base_model)

    @property
    def continues(self) -> bool:
        """Whether it continues a text."""
        return self.case.kind in WRITERS and not self.two_stacks

    @property
    def reads_twice(self) -> bool:
        """Whether the decoder reads the text as well as the encoder."""
        return self.two_stacks and self.case.kind in (*CLASSIFIERS, "qa")

    @property
    def start(self) -> int:
        """What the decoder's input begins with."""
        for config in (self.net.config, getattr(self.net, "generation_config", None)):
            for name in ("decoder_start_token_id", "bos_token_id"):
                if getattr(config, name, None) is not None:
                    return int(getattr(config, name))
        raise ValueError("the model does not say what its decoder starts with")

    def decoder_of(self, written: Sequence[int]) -> list[int]:
        """What the decoder reads to write these: shifted by one place, as the model itself does for its labels."""
        if hasattr(self.net, "prepare_decoder_input_ids_from_labels"):
            return self.net.prepare_decoder_input_ids_from_labels(torch.tensor([list(written)]))[0].tolist()
        return [self.start, *written[:-1]]

    def ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text)["input_ids"])

    # Attention

    def body(self, net: PreTrainedModel) -> nn.Module:
        """What reads the text."""
        return net.get_encoder() if self.two_stacks else net.base_model

    def body_inputs(self, net: PreTrainedModel, ids: Sequence[int]) -> dict[str, Any]:
        return _accepted(self.body(net), ids)

    def attention(self, ids: Sequence[int], decoder: Sequence[int] | None = None) -> dict[str, list[Tensor]]:
        """Its own eager attention, by "self", "encoder", "decoder" or "cross": of each layer (head, query, key)."""
        net = eager_copy(self.net)
        with torch.no_grad():
            if self.two_stacks and decoder is None:
                output = self.body(net)(**self.body_inputs(net, ids), output_attentions=True)
                return {"encoder": _layers(output.attentions)}
            inputs = _accepted(net, ids) | ({"decoder_input_ids": torch.tensor([decoder])} if decoder else {})
            try:
                output = net(**inputs, output_attentions=True)
            except TypeError:
                output = net.base_model(**inputs, output_attentions=True)
        found = {stack: _layers(getattr(output, name, None)) for stack, name in _OUTPUTS.items()}
        return {stack: layers for stack, layers in found.items() if layers}

    # Values and gradients

    @cached_property
    def scratch(self) -> PreTrainedModel:
        """A copy for passes of the model as it is: some change something of theirs as they run."""
        return deepcopy(self.net).eval().requires_grad_(False)

    def loss(self, ids: Sequence[int]) -> Question:
        """labels = input ids; of a classifier, or where an answer is, how likely its own prediction is."""
        labels = torch.tensor(ids)
        if self.case.kind == "qa":
            special = set(self.tokenizer.all_special_ids)
            return Question(
                {}, partial(_best_answer, places=[i for i, identity in enumerate(ids) if identity not in special])
            )
        if self.case.kind == "seqcls":
            return Question({}, lambda logits: logits[0].log_softmax(-1).max())
        if self.case.kind == "tokcls":
            return Question({"quantity": "loss"}, lambda logits: cross_entropy(logits[0], logits[0].argmax(-1)))
        if self.continues:
            return Question({}, lambda logits: cross_entropy(logits[0, :-1], labels[1:]))
        decoder = self.decoder_of(ids) if self.two_stacks else None
        return Question({}, lambda logits: cross_entropy(logits[0], labels), decoder=decoder)

    def target(self, ids: Sequence[int], position: int) -> Question:
        """A word that follows or is written, the token at a masked position, or a label (of the token there)."""
        if self.case.kind == "seqcls":
            return Question({"target": 1}, lambda logits: logits[0].log_softmax(-1)[1])
        if self.case.kind == "tokcls":
            options = {"target": 1, "position": position}
            return Question(options, lambda logits: logits[0, position].log_softmax(-1)[1], positions=(position,))
        if self.continues:
            (following,) = self.tokenizer(" the", add_special_tokens=False)["input_ids"]
            last = len(ids) - 1
            value = partial(_log_probability, positions=(last,), ids=(following,))
            return Question({"target": " the"}, value, positions=(last,))
        if self.two_stacks:
            written = self.ids(" the hill")
            positions = tuple(range(len(written)))
            value = partial(_log_probability, positions=positions, ids=written)
            return Question({"target": " the hill"}, value, decoder=self.decoder_of(written), positions=positions)
        value = partial(_log_probability, positions=(position,), ids=(ids[position],))
        return Question({"position": position}, value, masked=position, positions=(position,))

    def logits(self, net: PreTrainedModel, ids: Sequence[int], question: Question | None = None, **more: Any) -> Tensor:
        if question is not None and question.masked is not None:
            mask = self.tokenizer.mask_token_id
            ids = [mask if i == question.masked else identity for i, identity in enumerate(ids)]
        decoder = question.decoder if question else None
        inputs = _accepted(net, ids) | ({"decoder_input_ids": torch.tensor([decoder])} if decoder else {})
        output = net(**inputs, **more)
        if hasattr(output, "start_logits"):
            return torch.stack([output.start_logits, output.end_logits], -1)
        return output.logits if hasattr(output, "logits") else output[0]

    def value(self, ids: Sequence[int], question: Question) -> float:
        with torch.no_grad():
            return float(question.value(self.logits(self.scratch, ids, question).double()))

    def gradient(
        self, ids: Sequence[int], question: Question, *, share: float = 1.0, net: PreTrainedModel | None = None
    ) -> tuple[Tensor, Tensor, float]:
        """By autograd alone: the gradient at the embeddings and the embeddings, (token, hidden), and the value.

        share: of the embeddings that is left, on the way down to 0.
        """
        net = self.scratch if net is None else net
        leaves: list[Tensor] = []

        def replace(_module: nn.Module, _args: object, output: Any) -> Any:
            if leaves:
                if not self.reads_twice or output.shape != leaves[0].shape:
                    return None
                return torch.cat([output[:, :1], leaves[0][:, :-1]], 1)  # the decoder reads it one place later
            vectors, *rest = output if isinstance(output, tuple) else (output,)
            token_first = vectors.shape[:2] == (len(ids), 1)  # XLNet
            vectors = vectors.transpose(0, 1) if token_first else vectors
            # Longformer pads behind the text, CPM-Ant puts tokens of its own before it.
            first = vectors.shape[1] - len(ids) if self.case.family == "cpmant" else 0
            text = slice(first, first + len(ids))
            leaves.append((vectors[:, text].detach() * share).requires_grad_())
            given = torch.cat([vectors[:, :first], leaves[0], vectors[:, text.stop :]], 1)
            given = given.transpose(0, 1) if token_first else given
            return (given, *rest) if rest else given

        body = self.body(net)
        if not self.two_stacks and isinstance(getattr(body, "encoder", None), PreTrainedModel):
            body = body.encoder  # T5's encoder alone embeds in the stack in it
        layers = [_embedding_layer(body) or net.get_input_embeddings()]
        if self.case.family == "florence2":  # the whole model embeds what its encoder reads
            layers = [net.get_input_embeddings()]
        if self.reads_twice:
            layers.append(_embedding_layer(net.get_decoder()))
        handles = [layer.register_forward_hook(replace) for layer in dict.fromkeys(layers) if layer is not None]
        try:
            value = question.value(self.logits(net, ids, question))
        finally:
            for handle in handles:
                handle.remove()
        (gradient,) = torch.autograd.grad(value, leaves[0])
        return gradient[0].double(), leaves[0][0].detach().double(), float(value.detach())

    def generated(self, ids: Sequence[int], count: int, **settings: Any) -> list[int]:
        """What `generate` writes, greedily, without what was there."""
        net = deepcopy(self.net).eval()  # its settings are for this once
        with torch.no_grad():
            inputs = {name: given for name, given in _accepted(net, ids).items() if name != "use_cache"}
            written = net.generate(**inputs, max_new_tokens=count, do_sample=False, num_beams=1, **settings)[0].tolist()
        return written[1:] if self.two_stacks else written[len(ids) :]

    def one_by_one(self, ids: Sequence[int], count: int) -> list[int]:
        """The likeliest token again and again, by whole passes over all so far."""
        net, new = self.scratch, []
        with torch.no_grad():
            for _ in range(count):
                if self.two_stacks:
                    question = Question({}, torch.sum, decoder=[self.start, *new])
                    new.append(int(self.logits(net, ids, question)[0, -1].argmax()))
                else:
                    new.append(int(self.logits(net, [*ids, *new])[0, -1].argmax()))
        return new


def _embedding_layer(module: nn.Module) -> nn.Module | None:
    """The module's own; None where it wraps what has them, or is a plain module."""
    try:
        return module.get_input_embeddings()
    except (NotImplementedError, AttributeError):
        return None


def _log_probability(logits: Tensor, positions: Sequence[int], ids: Sequence[int]) -> Tensor:
    rows = logits[0].log_softmax(-1)
    return torch.stack([rows[position, identity] for position, identity in zip(positions, ids, strict=True)]).sum()


def _layers(attentions: Sequence[Tensor | None] | None) -> list[Tensor]:
    return [weights[0] for weights in attentions or () if isinstance(weights, Tensor)]


def _best_answer(logits: Tensor, places: Sequence[int]) -> Tensor:
    """How likely the likeliest answer is, of at most 30 tokens: where it begins, and where it ends."""
    begin, end = logits[0].log_softmax(0).T
    return torch.stack([begin[a] + end[b] for a in places for b in places if a <= b < a + 30]).max()


def _accepted(module: nn.Module, ids: Sequence[int]) -> dict[str, Any]:
    """The text as inputs, those that the module takes."""
    inputs = {"input_ids": torch.tensor([list(ids)]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
    names = inspect.signature(module.forward).parameters
    wraps = {"args", "kwargs"} >= set(names)  # another module, and takes what that takes
    return {name: given for name, given in {**inputs, "use_cache": False}.items() if wraps or name in names}
