"""Which tokens a target is read from: where the model's body puts out what the head makes the target of."""

import torch
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import task_of
from attnscope.models.attention.layout import body_of
from attnscope.models.hooks import embedding_leaf, hooked
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.targets.readout import Readout, batch_inputs, entries_in, whole_model_entries


def read_positions(net: PreTrainedModel, readout: Readout, stack: str) -> tuple[int, ...]:
    """The positions in the text, or in what a decoder reads, that the readout's value depends on in the body's output.

    Those of the readout's entries. A label of the whole text, and its vector, are read off the first token, the last or
    all of them, as the model has it: those that a gradient arrives at. stack: in an encoder–decoder "encoder" is read
    as a whole by the decoder, so all of its tokens are. Raises ModelError where no gradient arrives.
    """
    if stack == "encoder" and not readout.of_whole:
        return tuple(range(len(readout.inputs["input_ids"])))
    if not (task_of(net) == "classifier" or readout.of_whole):
        return tuple(dict.fromkeys(readout.positions))
    outputs: list[torch.Tensor] = []
    inputs = batch_inputs(net, [readout])
    entries = entries_in([readout], inputs["input_ids"].device)
    with (
        unchanged(net),
        embedding_leaf(net, ids=inputs["input_ids"]),
        hooked(body_of(net, stack), lambda _module, _args, output: outputs.append(output[0])),
    ):
        (value,) = readout.value(whole_model_entries(net, [readout], inputs, entries))
        seen = outputs[-1:] if value.requires_grad else []
        gradient = torch.autograd.grad(value, seen, allow_unused=True)[0] if seen else None
    if gradient is None:
        raise ModelError(
            f"off which tokens {type(net).__name__} reads its label cannot be seen: say from where to look, with query"
        )
    return tuple((gradient[0] != 0).any(-1).nonzero().flatten().tolist())
