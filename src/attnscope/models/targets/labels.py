"""Targets of models that give labels or fill in masks: classifiers, token classifiers, masked language models."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.errors import InputError, ModelError, QueryError
from attnscope.models.architecture import task_of
from attnscope.models.inputs.batching import tensors
from attnscope.models.inputs.encode import Encoded
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.targets.head_split import logits_of
from attnscope.models.targets.readout import Readout
from attnscope.models.targets.target import Objective, Target, explained, quantity_of, written_text
from attnscope.models.typed import text_ids
from attnscope.text.words import find_words


def classifier(model: Model, encoded: Encoded, target: Target) -> Objective:
    """The label of the whole text; the one that the model predicts if none is named."""
    chosen = [label_of(model, t) for t in (target.target, target.against) if t is not None]
    labels = chosen or [predicted_label(model, [encoded.inputs])]
    quantity = _quantity_of_labels(model, target)
    readout = Readout(encoded.inputs, (0,) * len(labels), tuple(labels), (1, -1)[: len(labels)], quantity)
    what = " minus that of ".join(repr(label_name(model, label)) for label in labels)
    what = f"the label {what}" if chosen else f"the predicted label {what}"
    answer = tuple(str(label_name(model, label)) for label in labels)
    return Objective(encoded, (readout,), explained(what, quantity), quantity, answer=answer)


def predicted_label(model: Model, texts: Sequence[Mapping[str, Sequence[int]]]) -> int:
    """The label that a classifier predicts; of several texts, such as the windows of one, in the mean of their logits.

    That is the one whose log-probability has the highest mean.
    """
    return int(torch.stack([_logits(model, inputs)[0].float() for inputs in texts]).mean(0).argmax())


def _quantity_of_labels(model: Model, target: Target, default: str = "log_probability") -> str:
    if is_regression(model.model):
        if target.quantity not in (None, "logit"):
            why = "has one output" if len(label_names(model.model)) == 1 else "is made for regression"
            raise InputError(
                f"{type(model.model).__name__} {why} and so no probabilities: leave quantity out, or 'logit'"
            )
        return "logit"
    return quantity_of(target, default)


def is_regression(net: PreTrainedModel) -> bool:
    """Whether a classifier's outputs are numbers of their own instead of labels with probabilities."""
    if "MultipleChoice" in type(net).__name__:
        return True
    return net.config.num_labels == 1 or getattr(net.config, "problem_type", None) == "regression"


def token_classifier(model: Model, encoded: Encoded, target: Target) -> Objective:
    """The label of one token or word, a label wherever it is likeliest, or the loss of the predicted labels."""
    of_text = target.target is None and target.position is None
    quantity = _quantity_of_labels(model, target, "loss" if of_text else "log_probability")
    chosen = [label_of(model, t) for t in (target.target, target.against) if t is not None]
    if target.position is not None:
        asked = token_positions(encoded, target.position)
        labels = chosen or [int(_logits(model, encoded.inputs)[0, asked].mean(0).argmax())]
        readout = Readout(
            encoded.inputs,
            tuple(asked * len(labels)),
            tuple(label for label in labels for _ in asked),
            tuple(sign for sign, _ in zip((1, -1), labels, strict=False) for _ in asked),
            quantity,
        )
        what = " minus that of ".join(repr(label_name(model, label)) for label in labels)
        what = f"the {'' if chosen else 'predicted '}label {what} at {_position_name(encoded, asked)}"
        return Objective(encoded, (readout,), explained(what, quantity), quantity, fixed=tuple(asked))
    positions = [i for i, token in enumerate(encoded.tokens) if not (chosen and token.special)]
    if len(chosen) == 2:
        raise InputError("a contrast of two labels needs the token that they are about: give position too")
    if chosen:
        if quantity == "loss":
            raise InputError("the loss of a label needs the token that it is about: give position too, or no quantity")
        what = f"the label {label_name(model, chosen[0])!r} where it is likeliest"
        labels = [chosen[0]] * len(positions)
    else:
        what = "the predicted labels"
        labels = _logits(model, encoded.inputs)[0].argmax(-1).tolist()
    signs = (1,) * len(positions)
    readout = Readout(
        encoded.inputs, tuple(positions), tuple(labels), signs, quantity, highest=bool(chosen), of_text=True
    )
    return Objective(encoded, (readout,), explained(what, quantity), quantity)


def masked(model: Model, encoded: Encoded, target: Target) -> Objective:
    """The token at a masked position, or the loss of the unmasked text."""
    tokenizer = model.tokenizer
    ids = list(encoded.inputs["input_ids"])
    masks = [i for i, identity in enumerate(ids) if identity == tokenizer.mask_token_id]
    if target.target is None and target.position is None and not masks:
        quantity = quantity_of(target, "loss")
        everywhere = tuple(range(len(ids)))
        readout = Readout(encoded.inputs, everywhere, tuple(ids), (1,) * len(ids), quantity, of_text=True)
        return Objective(encoded, (readout,), explained("the text itself (labels = input ids)", quantity), quantity)
    positions = token_positions(encoded, target.position) if target.position is not None else masks
    if not positions:
        raise InputError(
            f"the text has no {tokenizer.mask_token}: write it where the model is to predict, or give position"
        )
    if tokenizer.mask_token_id is None:
        raise ModelError("the tokenizer has no mask token, so no position can be masked")
    inputs: Mapping[str, Sequence[int]] = dict(encoded.inputs) | {
        "input_ids": [tokenizer.mask_token_id if i in positions else identity for i, identity in enumerate(ids)]
    }
    asked = [_mask_ids(model, t, len(positions)) for t in (target.target, target.against) if t is not None]
    what = " minus that of ".join(repr(t) for t in (target.target, target.against) if t is not None)
    if not asked and all(i in masks for i in positions):
        asked = [_logits(model, inputs)[0, positions].argmax(-1).tolist()]
        what = f"the prediction {tokenizer.decode(asked[0])!r}"
    elif not asked:
        asked = [[ids[i] for i in positions]]
        what = f"the text's own {tokenizer.decode(asked[0])!r}"
    quantity = quantity_of(target, "log_probability")
    readout = Readout(
        inputs,
        tuple(positions * len(asked)),
        tuple(identity for of_target in asked for identity in of_target),
        tuple(sign for sign, of_target in zip((1, -1), asked, strict=False) for _ in of_target),
        quantity,
    )
    what = explained(f"{what} at the mask", quantity)
    return Objective(encoded, (readout,), what, quantity, fixed=tuple(positions))


def _mask_ids(model: Model, target: object, count: int) -> list[int]:
    ids = text_ids(model.tokenizer, written_text(target))
    if len(ids) != count:
        raise InputError(f"the target {target!r} has {len(ids)} tokens and the mask {count}: give as many as there are")
    return ids


def label_of(model: Model, label: object) -> int:
    """The index of a label, given by its name or index, also as text ("1"). Raises InputError, naming some labels."""
    names = label_names(model.model)
    if isinstance(label, int) and not isinstance(label, bool) and label in names:
        return label
    for i, name in names.items():
        if name == label:
            return i
    # As the command line and tables give an index. A label of that name comes first.
    if isinstance(label, str) and label.isdecimal() and int(label) in names:
        return int(label)
    near = get_close_matches(str(label), names.values(), n=3) or list(names.values())[:5]
    raise InputError(
        f"the model has no label {label!r}: give a name or an index from 0 to {len(names) - 1}, for example "
        + ", ".join(repr(name) for name in near)
    )


def label_name(model: Model, label: str | int) -> str:
    """What a label is called: an index by the name that the model's config gives it, if any; another text as it is."""
    names = label_names(model.model)
    indexed = isinstance(label, int) or (label.isdecimal() and label not in names.values())
    if isinstance(label, str) and not (indexed and task_of(model.model) in ("classifier", "token classifier")):
        return label
    return names.get(int(label), str(label))


def label_names(net: PreTrainedModel) -> dict[int, str]:
    """The names of the labels that the model predicts, by index."""
    if "MultipleChoice" in type(net).__name__:
        return {0: "this choice"}
    return {int(i): str(name) for i, name in (net.config.id2label or {}).items()}


def token_positions(encoded: Encoded, position: int | str) -> list[int]:
    """The tokens of a word of the text, or the one token of an index. Raises QueryError."""
    count = len(encoded.tokens)
    if isinstance(position, str):
        words = find_words(encoded.text, encoded.words, position)
        return [token for word in words for token in encoded.words[word].tokens]
    if isinstance(position, bool) or not -count <= position < count:
        raise QueryError(f"the position {position!r} is out of range: the text has the tokens 0 to {count - 1}")
    return [position % count]


def _position_name(encoded: Encoded, positions: Sequence[int]) -> str:
    return repr("".join(encoded.tokens[i].text for i in positions).strip())


def _logits(model: Model, inputs: Mapping[str, Sequence[int]]) -> Tensor:
    net = model.model
    with unchanged(net), torch.no_grad():
        return logits_of(net, tensors(net, inputs))
