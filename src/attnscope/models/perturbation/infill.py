"""What a masked language model itself would put in the place of tokens that are taken away."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from attnscope.errors import ModelError
from attnscope.models.architecture import task_of
from attnscope.models.embeddings import baseline_id
from attnscope.models.inputs.batching import BUDGET, length_groups
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.targets.head_split import logits_of, split_at_head
from attnscope.models.targets.readout import (
    Readout,
    batch_budget,
    batch_inputs,
    entries_in,
    reads_separate_head,
)


def infilled(model: Model, readout: Readout, removed: Sequence[frozenset[int]]) -> list[list[int]]:
    """The text's ids with the tokens of each set masked, and each mask filled with the likeliest token there.

    All of a set are masked at once, and filled from one pass. Special tokens fill nothing; the token that was taken
    away may come back, where the rest of the text says that it must stand there. Raises ModelError for a model that is
    no masked language model.
    """
    net = model.model
    if task_of(net) != "masked":
        raise ModelError(
            f"replacement='infill' has the model itself fill what is taken away, and {type(net).__name__} is no masked "
            "language model: choose another replacement, such as 'neutral'"
        )
    mask, never = baseline_id(model, "mask"), list(model.tokenizer.all_special_ids)
    places = [tuple(sorted(tokens)) for tokens in removed]
    filled = [list(readout.inputs["input_ids"]) for _ in places]
    asked = []
    for ids, chosen in zip(filled, places, strict=True):
        for i in chosen:
            ids[i] = mask
        masked = {**readout.inputs, "input_ids": ids}
        asked.append(replace(readout, inputs=masked, positions=chosen, ids=(0,) * len(chosen)))
    separate = reads_separate_head(net, asked)
    with unchanged(net), torch.no_grad():
        for members in length_groups([one.length for one in asked], batch_budget(net, asked, BUDGET)):
            batch = [asked[i] for i in members]
            inputs = batch_inputs(net, batch)
            entries = entries_in(batch, inputs["input_ids"].device)
            if separate:
                with split_at_head(net, inputs) as (hidden, head):
                    logits = head(hidden[entries.rows, entries.positions][None])[0]
            else:
                logits = logits_of(net, inputs)[entries.rows, entries.positions]
            logits[:, never] = -torch.inf
            for member, likeliest in zip(members, entries.by_readout(logits.argmax(-1)), strict=True):
                for place, identity in zip(places[member], likeliest.tolist(), strict=True):
                    filled[member][place] = identity
    return filled
