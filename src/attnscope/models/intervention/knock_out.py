"""Runs without some heads, edges or layers: what is taken away from each text of a batch, and the pass that takes it.

Everything is taken away where the model itself makes it, at the speed of its fast attention; the model comes back as it
was. Nothing else may be changed by it: a pass that takes nothing away gives what the model gives.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError, NoAttentionError
from attnscope.models.architecture import is_encoder_decoder
from attnscope.models.attention.interface import AttentionCall, CallChange
from attnscope.models.attention.layout import attention_layout
from attnscope.models.attention.watching import by_layer, watching
from attnscope.models.intervention.edges import Cut, without_edges
from attnscope.models.intervention.heads import heads_changed
from attnscope.models.intervention.layers import layers_of, layers_skipped
from attnscope.models.model_facts import AttentionLayout

# Of an edge: the query's token and the key's.
TokenEdge = tuple[int, int]


@dataclass(frozen=True)
class KnockOut:
    """What is taken away from one text.

    heads:       by layer and head, what stands in the place of its output, (1 or query, hidden); None: zeros.
    edges:       by layer, the pairs (query, key) of tokens between which no attention goes.
    renormalise: as in Cut.
    """

    heads: Mapping[tuple[int, int], Tensor | None] = field(default_factory=dict)
    edges: Mapping[int, frozenset[TokenEdge]] = field(default_factory=dict)
    renormalise: bool = True


NOTHING = KnockOut()


@dataclass(frozen=True)
class Site:
    """Where things can be taken away in one pass.

    inputs: what the model reads. stack: which attention. layout: where the model's attention is; None where it has
    none. layers: the module of each layer; empty where they were not asked for.
    """

    net: PreTrainedModel
    inputs: Mapping[str, Tensor]
    stack: str
    layout: AttentionLayout | None
    layers: Sequence[nn.Module] = ()

    @classmethod
    def of(
        cls, net: PreTrainedModel, inputs: Mapping[str, Tensor], stack: str, *, attention: bool = True,
        layers: bool = False,
    ) -> "Site":  # fmt: skip
        """What has to be known for it, by passes of its own over a few tokens.

        attention: heads or edges are to be taken away. layers: whole layers are, or passes are to begin at one.

        Raises ModelError for a model in which it cannot be done faithfully.
        """
        # An encoder–decoder runs both of its parts.
        whole = "cross" if is_encoder_decoder(net) else stack
        try:
            layout = attention_layout(net, inputs, whole)
        except NoAttentionError:
            if attention:
                raise
            layout = None
        except ModelError:
            if attention or not layers:
                raise
            layout = None
        if attention and layout is not None and not layout.values:
            raise ModelError(
                f"{type(net).__name__} multiplies its values in its own way, so neither heads nor edges can be taken "
                "away: take away whole layers or words"
            )
        inputs = dict(inputs)
        if whole == "cross":  # of a classifier, whose decoder reads the text itself
            inputs.setdefault("decoder_input_ids", inputs["input_ids"])
        return cls(net, inputs, stack, layout, layers_of(net, inputs, stack, layout) if layers else ())

    def absent_below(self, first: int) -> list[int]:
        """The calls of attention, by their indices, that a pass does not make which begins at layer `first`."""
        assert self.layout is not None
        parts = ("decoder", "cross") if self.stack in ("decoder", "cross") else (self.stack,)
        return [i for i, (name, layer) in enumerate(self.layout.calls) if name in parts and layer < first]


# Sees a layer and its heads' outputs (batch, query, head, hidden), before anything is taken away; what it returns goes
# on in their place, None: the same.
SeeHeads = Callable[[int, Tensor], Tensor | None]


@contextmanager
def knocked_out(
    site: Site, texts: Sequence[KnockOut], skipped: frozenset[int] = frozenset(), *,
    see_heads: SeeHeads | None = None, seen: Sequence[int] = (), begins: int = 0,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Inside, one pass over these texts is without what is taken away; it takes the yielded arguments too.

    texts:     of each text of the batch, what is taken away. skipped: layers skipped in all of them.
    see_heads: sees the outputs of the heads of the layers `seen`.
    begins:    the layer that the pass begins at, inside `begun_at`.

    To be used inside `unchanged`.
    """
    heads = {layer for text in texts for layer, _ in text.heads} | set(seen)
    edges = {layer for text in texts for layer in text.edges}
    with ExitStack() as stack:
        if skipped:
            stack.enter_context(layers_skipped(site.layers, skipped))
        if not heads and not edges:
            yield {}
            return
        assert site.layout is not None

        def change(layer: int, given: Tensor) -> Tensor | None:
            noted = see_heads(layer, given) if see_heads is not None and layer in seen else None
            changed = _without_heads(layer, given if noted is None else noted, texts)
            return noted if changed is None else changed

        attended = stack.enter_context(heads_changed(site.net, site.inputs, site.stack, heads, change))

        def see(layer: int, call: AttentionCall) -> CallChange | None:
            attended(layer, call)
            cuts = [Cut(text.edges.get(layer, frozenset()), text.renormalise) for text in texts]
            return CallChange(on_output=partial(without_edges, call, cuts)) if any(cut.edges for cut in cuts) else None

        watcher = by_layer(
            site.layout, site.stack, heads | edges, see, stop_early=False,
            absent=site.absent_below(begins) if begins else (),
        )  # fmt: skip
        yield stack.enter_context(watching(site.net, site.layout, watcher))


def _without_heads(layer: int, given: Tensor, texts: Sequence[KnockOut]) -> Tensor | None:
    """The heads' outputs (batch, query, head, hidden) with what stands in their places; None where nothing does."""
    changed: Tensor | None = None
    for place, text in enumerate(texts):
        for (its_layer, head), instead in text.heads.items():
            if its_layer != layer:
                continue
            if changed is None:
                if len(given) != len(texts):
                    raise ModelError(
                        f"a layer attends to {len(given)} pieces where {len(texts)} texts are read, so that its heads "
                        "cannot be told apart by text: take away whole layers"
                    )
                changed = given.clone()
            changed[place, :, head] = 0 if instead is None else instead.to(changed)
    return changed
