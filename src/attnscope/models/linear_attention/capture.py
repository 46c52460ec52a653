"""Which of a model's layers are linear attention that can be unrolled, and seeing them as the model runs."""

from collections.abc import Callable, Collection, Mapping

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted, is_encoder_decoder, self_attention_body
from attnscope.models.attention.layer_numbers import block_numbers
from attnscope.models.hooks import EarlyExit
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.linear_attention.call import LinearCall
from attnscope.models.linear_attention.watching import linear_watched, mechanism
from attnscope.models.model_facts import LinearLayer, facts_of, probe_inputs
from attnscope.models.progress import bar


def linear_layers(net: PreTrainedModel, inputs: Mapping[str, Tensor]) -> dict[int, LinearLayer]:
    """The layers of linear attention by their numbers in the model; found out once a model, on a few tokens."""
    facts = facts_of(net)
    if facts.linear is None:
        facts.linear = {} if is_encoder_decoder(net) else _found(net, inputs)
    return facts.linear


def _found(net: PreTrainedModel, inputs: Mapping[str, Tensor]) -> dict[int, LinearLayer]:
    numbers = _numbers(net)
    layers: dict[int, LinearLayer] = {}

    def see(module: nn.Module, call: LinearCall) -> None:
        refusal = None
        try:
            call.weights(torch.arange(call.queries))
        except ModelError as error:
            refusal = str(error)
        layers[numbers[module]] = LinearLayer(mechanism(module) or "", call.heads, refusal)

    if numbers:
        _run(net, probe_inputs(inputs), numbers, see)
    return dict(sorted(layers.items()))


def _numbers(net: PreTrainedModel) -> dict[nn.Module, int]:
    """The number of the layer that each module of linear attention is in; without those that are in none."""
    body = self_attention_body(net)
    mixers = [module for module in body.modules() if mechanism(module) is not None]
    numbers = block_numbers(body) if mixers else {}
    return {module: numbers[module] for module in mixers if module in numbers}


def capture_linear(
    net: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    layers: Collection[int],
    see: Callable[[int, LinearCall], None],
) -> None:
    """Run the model on `inputs` and show the linear attention of each wanted layer to `see(layer, call)`.

    layers: of `linear_layers`; the pass stops after the last. The model comes back as it was. Raises ModelError for a
    layer whose unrolled matrix does not give its output.
    """
    known = linear_layers(net, inputs)
    for layer in layers:
        if refusal := known[layer].refusal:
            raise ModelError(f"layer {layer}: {refusal}")
    numbers = {module: number for module, number in _numbers(net).items() if number in layers}
    last = max(layers)
    with bar("layers", len(layers)) as done:

        def see_and_count(module: nn.Module, call: LinearCall) -> None:
            see(numbers[module], call)
            done(1)
            if numbers[module] == last:
                raise EarlyExit

        _run(net, inputs, numbers, see_and_count)


def _run(
    net: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    modules: Mapping[nn.Module, object],
    see: Callable[[nn.Module, LinearCall], None],
) -> None:
    body = self_attention_body(net)
    with unchanged(net), torch.no_grad(), linear_watched(modules, see):
        try:
            body(**accepted(body, inputs))
        except EarlyExit:
            return
