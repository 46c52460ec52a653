"""A text's attention, kept while somebody looks at it: any map of it without running the model again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

from torch import Tensor

from attnscope.methods.attention.layers import layout_beside, linear_of
from attnscope.methods.attention.maps import OPTIONS, Selection, maps_of_batch
from attnscope.methods.plan import MAPS
from attnscope.methods.request import FollowingOptions, Request, requested
from attnscope.models.attention.capture import capture
from attnscope.models.attention.interface import AttentionCall, SDPACall
from attnscope.models.attention.query_key_batch import QueryKeyBatch, query_key_batches, query_key_texts
from attnscope.models.default_settings import default_settings
from attnscope.models.loading.load import Model, load
from attnscope.results.attention_maps import AttentionMaps
from attnscope.text.inputs import Messages


@dataclass(frozen=True)
class KeptAttention:
    """What the attention of one text is made of, kept: any of its maps comes without running the model again.

    calls: of each layer that has attention weights, its queries and keys, O(token · hidden); of a model that runs
           eager, its matrix. Empty for a model of linear attention alone, which is run again for each map.
    """

    batch: QueryKeyBatch
    request: Request
    calls: Mapping[int, AttentionCall]

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        return sum(
            tensor.nbytes
            for call in self.calls.values()
            for tensor in {id(t): t for t in vars(call).values() if isinstance(t, Tensor)}.values()
        )

    def maps(
        self,
        layers: Sequence[int] | None = None,
        heads: Sequence[int] | None = None,
        *,
        queries: Sequence[int] | None = None,
        keys: Sequence[int] | None = None,
        maps: bool = True,
        top: int = 0,
    ) -> AttentionMaps:
        """As `attention_maps` gives them."""
        selection = Selection(layers, heads, queries, keys, maps, top, None)
        with default_settings():
            return maps_of_batch(self.batch, selection, self.request, self.calls)[0]


def keep_attention(model: Model, text: str | Messages, **options: Unpack[FollowingOptions]) -> KeptAttention:
    """One pass over the text, whose attention is kept. options and errors as in `attention_maps`."""
    _, request = requested(options, {}, OPTIONS, MAPS.name)
    target, generate = request.following()
    model = load(model)
    with default_settings():
        texts = query_key_texts(
            model, text, stack=request.stack, target=target, generate=generate, reading=request.reading
        )
        (batch,) = query_key_batches(texts)
        calls: dict[int, AttentionCall] = {}

        def see(layer: int, call: AttentionCall) -> None:
            calls[layer] = call.without_value() if isinstance(call, SDPACall) else call

        linear = linear_of(model, batch.inputs, batch.stack)
        if (layout := layout_beside(model, batch.inputs, batch.stack, linear)) is not None:
            capture(model.model, batch.inputs, list(layout.heads_of(batch.stack)), see, batch.stack)
        return KeptAttention(batch, request, calls)
