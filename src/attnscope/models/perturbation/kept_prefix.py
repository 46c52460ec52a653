"""A text whose keys and values are kept: what a causal model says next without some of its tokens costs the rest alone.

`prefix_reuse.py` computes a shared prefix once a call; here it outlives the call, for whoever takes away one word after
the other and wants each answer at once.
"""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache

from attnscope.errors import InputError
from attnscope.models.architecture import task_of
from attnscope.models.default_settings import default_settings
from attnscope.models.inputs.continuation import opened
from attnscope.models.inputs.encode import Encoded
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.perturbation.prefix_reuse import cached_hidden, first_of, reuses_prefix
from attnscope.models.targets.next_tokens import next_log_probabilities
from attnscope.models.targets.readout import Readout
from attnscope.models.typed import layer_caches


@dataclass(frozen=True)
class KeptPrefix:
    """A prompt; its keys and values, or None where the model cannot go on from them; what comes next after all of it.

    whole: (vocabulary,) log-probabilities.
    """

    model: Model
    prompt: Encoded
    cache: DynamicCache | None
    whole: Tensor

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        layers = () if self.cache is None else layer_caches(self.cache)
        return self.whole.nbytes + sum(layer.keys.nbytes + layer.values.nbytes for layer in layers)

    def without(self, removed: Collection[int]) -> Tensor:
        """(vocabulary,) The log-probabilities of what comes next without these tokens, which are left out.

        Raises InputError where nothing is left to read.
        """
        ids = self.prompt.inputs["input_ids"]
        left = [i for i in range(len(ids)) if i not in removed]
        if not left:
            raise InputError("without these words the model has nothing to read: put one back")
        if len(left) == len(ids):
            return self.whole
        with default_settings():
            # The last token left is read again where it stands before everything that was removed.
            start = min(min(removed), len(left) - 1)
            if self.cache is None or start == 0:
                return next_log_probabilities(
                    self.model, {name: [values[i] for i in left] for name, values in self.prompt.inputs.items()}
                )
            return _next(self.model, [ids[i] for i in left[start:]], first_of(self.cache, start))


def keep_prefix(model: Model, encoded: Encoded) -> KeptPrefix:
    """One pass over the text, whose keys and values are kept where the model can go on from them.

    Raises InputError for a model that does not continue a text.
    """
    net = model.model
    if task_of(net) != "causal":
        raise InputError(f"{type(net).__name__} does not continue a text, so that nothing comes next")
    with default_settings():
        prompt = opened(model.tokenizer, encoded)
        ids = prompt.inputs["input_ids"]
        last = len(ids) - 1
        readout = Readout(prompt.inputs, (last,), (ids[-1],), (1,), "log_probability", ahead=1)
        if not reuses_prefix(net, readout):
            return KeptPrefix(model, prompt, None, next_log_probabilities(model, prompt.inputs))
        cache = DynamicCache()
        whole = _next(model, ids, cache)
        # A model that fills no plain cache is not gone on from.
        return KeptPrefix(model, prompt, cache if cache.get_seq_length() == len(ids) else None, whole)


def _next(model: Model, ids: list[int], cache: DynamicCache) -> Tensor:
    with unchanged(model.model), torch.no_grad(), cached_hidden(model.model, ids, cache) as (hidden, head):
        return head(hidden[:, -1:])[0, 0].float().log_softmax(-1)
