"""A readout of a text with some of its tokens removed or overwritten.

Removing tokens moves the positions that the target is read at; entries about the text's own tokens go with them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from attnscope.errors import InputError
from attnscope.models.architecture import task_of
from attnscope.models.embeddings import baseline_id
from attnscope.models.loading.load import Model
from attnscope.models.perturbation.infill import infilled
from attnscope.models.targets.readout import EmbeddingChange, Readout
from attnscope.models.typed import text_ids

# Words that say next to nothing: the first that is one token of the model's.
NEUTRAL = (" the", "the", "の", "的", ".")


@dataclass(frozen=True)
class Variant:
    """A readout of the changed text.

    entries:     which of the unchanged readout's entries are left.
    first:       the first changed token.
    overwritten: tokens whose embeddings are replaced.
    """

    readout: Readout
    entries: tuple[int, ...]
    first: int
    overwritten: tuple[int, ...] = ()


def variants_of(model: Model, readout: Readout, removed: Sequence[frozenset[int]], replacement: str) -> list[Variant]:
    """The readout without the tokens of each set. Raises what `variant_of` and `infilled` raise."""
    if replacement != "infill":
        return [variant_of(model, readout, tokens, replacement) for tokens in removed]
    every_entry = tuple(range(len(readout.ids)))
    return [
        Variant(
            replace(readout, inputs={**readout.inputs, "input_ids": ids}), every_entry, min(tokens, default=len(ids))
        )
        for tokens, ids in zip(removed, infilled(model, readout, removed), strict=True)
    ]


def variant_of(model: Model, readout: Readout, removed: frozenset[int], replacement: str) -> Variant:
    """The readout without these tokens. Raises InputError where nothing is left to read or to predict."""
    first = min(removed, default=len(readout.inputs["input_ids"]))
    every_entry = tuple(range(len(readout.ids)))
    if replacement in ("zero", "mean"):
        overwritten = tuple(sorted(i for i in removed if i < len(readout.inputs["input_ids"])))
        return Variant(readout, every_entry, first, overwritten)
    if replacement != "delete":
        identity = neutral_id(model) if replacement == "neutral" else baseline_id(model, replacement)
        ids = [identity if i in removed else old for i, old in enumerate(readout.inputs["input_ids"])]
        return Variant(replace(readout, inputs={**readout.inputs, "input_ids": ids}), every_entry, first)
    return _deleted(model, readout, removed, first) if removed else Variant(readout, every_entry, first)


def _deleted(model: Model, readout: Readout, removed: frozenset[int], first: int) -> Variant:
    length = len(readout.inputs["input_ids"])
    left = [i for i in range(length) if i not in removed]
    inputs = {name: [values[i] for i in left] for name, values in readout.inputs.items()}
    new_position = {old: new for new, old in enumerate([*left, length])}
    if readout.decoder or readout.of_whole or task_of(model.model) == "classifier":
        if not left:
            raise InputError("without these words the model has nothing to read: choose smaller units")
        return Variant(replace(readout, inputs=inputs), tuple(range(len(readout.ids))), first)
    entries, positions = [], []
    for entry, position in enumerate(readout.positions):
        about = position + readout.ahead
        if about in new_position and (new_position[about] >= readout.ahead or not readout.of_text):
            entries.append(entry)
            positions.append(new_position[about] - readout.ahead)
    if not entries:
        raise InputError("without these words nothing is left to predict: choose smaller units, or give a target")
    if min(positions) < 0:
        start = _start_id(model)
        fill = {"input_ids": start, "attention_mask": 1}
        inputs = {name: [fill.get(name, 0), *values] for name, values in inputs.items()}
        positions = [position + 1 for position in positions]
    changed = replace(
        readout,
        inputs=inputs,
        positions=tuple(positions),
        ids=tuple(readout.ids[i] for i in entries),
        signs=tuple(readout.signs[i] for i in entries),
    )
    return Variant(changed, tuple(entries), first)


def neutral_id(model: Model) -> int:
    """The first of NEUTRAL that is one token. Raises InputError where none is."""
    for word in NEUTRAL:
        ids = text_ids(model.tokenizer, word)
        if len(ids) == 1 and ids[0] != model.tokenizer.unk_token_id:
            return int(ids[0])
    raise InputError("the tokenizer has no neutral word of one token: choose another replacement, such as 'mean'")


def _start_id(model: Model) -> int:
    tokenizer = model.tokenizer
    for identity in (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id):
        if identity is not None:
            return int(identity)
    raise InputError("without these words nothing stands before the target, and the tokenizer has no start token")


def overwriting(variants: Sequence[Variant], vector: Tensor | None, start: int = 0) -> EmbeddingChange | None:
    """Puts `vector` in the place of the overwritten tokens; the pass begins at token `start`. None: nothing to do."""
    if vector is None:
        return None

    def change(embeddings: Tensor, members: Sequence[int]) -> Tensor:
        embeddings = embeddings.clone()
        for row, member in enumerate(members):
            if overwritten := variants[member].overwritten:
                embeddings[row, [i - start for i in overwritten]] = vector.to(embeddings)
        return embeddings

    return change


def in_order(change: EmbeddingChange | None, count: int) -> Callable[[Tensor], Tensor] | None:
    """The change for one batch of all `count` variants in their order."""
    return None if change is None else lambda embeddings: change(embeddings, range(count))
