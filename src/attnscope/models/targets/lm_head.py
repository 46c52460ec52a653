"""The vocabulary head on the positions asked for: entries of its logits, and their gradients at the hidden vectors.

A head that is one product with the vocabulary matrix and nothing else runs, on a CPU, a block of the matrix at a
time, with a running maximum (Milakov and Gimelshein 2018, arXiv:1805.02867): its logits never exist as a whole, and a
block of them stays in the cache from the product to the gradient. Every other head (soft-capping, scaling, projections)
is called as it is, on a few positions at a time.

An entry's gradient is a vector of the size of the hidden one. That of a log-probability is one minus the probability,
times the id's row of the matrix minus the mean of the others' rows, weighted by their probabilities.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.hooks import forward_replaced
from attnscope.models.targets.head_split import Head
from attnscope.models.typed import output_layer, split

# Logits that exist at one time, in bytes. Blocks of over 32 MB the allocator takes from the system and gives back at
# once; smaller ones leave holes behind that the next chunk does not fit into, a gigabyte of them on a long text.
LOGITS_BYTES = 48 * 2**20
# Fewer positions at a time than this and reading the vocabulary matrix takes longer than multiplying by it.
FEWEST = 64
# Positions and rows of the vocabulary matrix in one product: 8 MB of logits.
POSITIONS, ROWS = 2048, 1024


def head_entries(net: PreTrainedModel, hidden: Tensor, head: Head, ids: Tensor, quantity: str) -> Tensor:
    """(entry, hidden) -> (entry,): logits or log-probabilities of the ids, without gradients."""
    if linear := _linear_head(net, hidden, head):
        parts = zip(split(hidden, POSITIONS), split(ids, POSITIONS), strict=True)
        return torch.cat([linear.entries(rows, asked, quantity) for rows, asked in parts])
    size = positions_at_once(net, hidden)
    entries = [
        entries_of_logits(net, head(rows[None])[0], asked, quantity)
        for rows, asked in zip(split(hidden, size), split(ids, size), strict=True)
    ]
    return torch.cat(entries) if entries else hidden.new_zeros(0)


def entries_and_gradients(
    net: PreTrainedModel, hidden: Tensor, head: Head, ids: Tensor, quantity: str
) -> tuple[Tensor, Tensor]:
    """What `head_entries` gives, and the gradient of each entry at its own hidden vector, (entry, hidden)."""
    hidden = hidden.detach()
    if linear := _linear_head(net, hidden, head):
        parts = zip(split(hidden, POSITIONS), split(ids, POSITIONS), strict=True)
        pairs = [linear.entries_and_gradients(rows, asked, quantity) for rows, asked in parts]
    else:
        size = positions_at_once(net, hidden)
        parts = zip(split(hidden, size), split(ids, size), strict=True)
        pairs = [_through(net, rows, head, asked, quantity) for rows, asked in parts]
    return torch.cat([entries for entries, _ in pairs]), torch.cat([vectors for _, vectors in pairs])


def positions_at_once(net: PreTrainedModel, hidden: Tensor) -> int:
    """How many positions the whole vocabulary head takes at once."""
    vocabulary = int(net.config.get_text_config().vocab_size)
    return max(FEWEST, LOGITS_BYTES // (vocabulary * hidden.element_size()))


def entries_of_logits(net: PreTrainedModel, logits: Tensor, ids: Tensor, quantity: str) -> Tensor:
    """(entry, vocabulary), (entry,) -> (entry,): the logits or log-probabilities of these ids."""
    logits = logits.to(_precise(logits))
    if quantity == "logit":
        return logits.gather(1, ids[:, None])[:, 0]
    if is_multi_label(net):
        return logsigmoid(logits.gather(1, ids[:, None])[:, 0])
    return logits.log_softmax(-1).gather(1, ids[:, None])[:, 0]


def _precise(logits: Tensor) -> torch.dtype:
    """Of probabilities: the logits' own precision, but float32 at least."""
    return torch.promote_types(logits.dtype, torch.float32)


def is_multi_label(net: PreTrainedModel) -> bool:
    """Whether each label has a probability of its own, whatever the others have."""
    return getattr(net.config, "problem_type", None) == "multi_label_classification"


def _through(net: PreTrainedModel, rows: Tensor, head: Head, ids: Tensor, quantity: str) -> tuple[Tensor, Tensor]:
    """Entries and gradients through the head as it is."""
    with torch.enable_grad():
        part = rows.requires_grad_()
        logits = head(part[None])[0]
        values, at_logits = _entries_of_logits_with_gradients(net, logits, ids, quantity)
        return values, torch.autograd.grad(logits, part, at_logits)[0]


def _entries_of_logits_with_gradients(
    net: PreTrainedModel, logits: Tensor, ids: Tensor, quantity: str
) -> tuple[Tensor, Tensor]:
    """What `entries_of_logits` gives, and the gradient of each entry at its logits (entry, vocabulary).

    For a log-probability it is one at the id minus the probabilities, which takes one table instead of four.
    """
    logits = logits.detach()
    if quantity == "logit" or is_multi_label(net):
        values = entries_of_logits(net, logits.requires_grad_(), ids, quantity)
        return values.detach(), torch.autograd.grad(values.sum(), logits)[0]
    asked = torch.arange(len(ids), device=ids.device), ids
    table = logits.to(_precise(logits)).softmax(-1)
    largest, largest_id = table.max(-1, keepdim=True)
    # The largest probability is never too small for a logarithm, and the rest never too small beside it.
    differences = logits.gather(1, ids[:, None]).to(table) - logits.gather(1, largest_id).to(table)
    values = (differences + largest.log())[:, 0]
    table[asked] = 0
    rest = table.sum(-1)
    gradients = table.neg_()
    gradients[asked] = rest
    return torch.where(rest < 0.5, torch.log1p(-rest), values), gradients.to(logits.dtype)


@dataclass(frozen=True)
class LinearHead:
    """A head that is `hidden @ matrix.T + bias` and nothing else. matrix: (vocabulary, hidden); float32."""

    matrix: Tensor
    bias: Tensor | None

    def entries(self, hidden: Tensor, ids: Tensor, quantity: str) -> Tensor:
        """(entry, hidden), (entry,) -> (entry,)."""
        self._check(ids)
        if quantity == "logit":
            return self._logits(hidden, ids)
        return logsigmoid(self._log_odds(hidden, ids))

    def entries_and_gradients(self, hidden: Tensor, ids: Tensor, quantity: str) -> tuple[Tensor, Tensor]:
        """The same, and (entry, hidden)."""
        self._check(ids)
        rows = self.matrix[ids]
        if quantity == "logit":
            return self._logits(hidden, ids), rows
        others = torch.zeros_like(hidden)
        odds = self._log_odds(hidden, ids, others)
        return logsigmoid(odds), rows.sub_(others).mul_(torch.sigmoid(-odds)[:, None])

    def _check(self, ids: Tensor) -> None:
        beyond = ids[(ids < 0) | (ids >= len(self.matrix))]
        if len(beyond):
            raise ModelError(
                f"the target has token {int(beyond[0])}, but the model's vocabulary has {len(self.matrix)} entries; "
                "load the tokenizer that belongs to the model"
            )

    def _logits(self, hidden: Tensor, ids: Tensor) -> Tensor:
        logits = (hidden * self.matrix[ids]).sum(-1)
        return logits if self.bias is None else logits + self.bias[ids]

    def _log_odds(self, hidden: Tensor, ids: Tensor, mean_of_others: Tensor | None = None) -> Tensor:
        """(entry,): log(p / (1 - p)) of the ids.

        The id is kept apart from all others, so that 1 - p of an almost certain one is right.

        mean_of_others: zeros (entry, hidden), to be filled with the mean of the others' rows by their probability.
        """
        highest = hidden.new_full((len(hidden), 1), -torch.inf)
        total, asked = torch.zeros_like(highest), torch.zeros_like(highest)
        for start in range(0, len(self.matrix), ROWS):
            rows = self.matrix[start : start + ROWS]
            logits = hidden @ rows.T
            if self.bias is not None:
                logits += self.bias[start : start + ROWS]
            here = ((ids >= start) & (ids < start + len(rows))).nonzero()[:, 0]
            asked[here, 0] = logits[here, ids[here] - start]
            logits[here, ids[here] - start] = -torch.inf
            higher = torch.maximum(highest, logits.amax(-1, keepdim=True))
            shrunk = (highest - higher).exp_()
            highest = higher
            shares = logits.sub_(highest).exp_()
            total.mul_(shrunk).add_(shares.sum(-1, keepdim=True))
            if mean_of_others is not None:
                # A product of its own, then added: some kernels add term by term to what is there, and lose digits.
                mean_of_others.mul_(shrunk).add_(shares @ rows)
        if mean_of_others is not None:
            mean_of_others.div_(total)
        return (asked - highest - total.log())[:, 0]


def _linear_head(net: PreTrainedModel, hidden: Tensor, head: Head) -> LinearHead | None:
    """The head as one product, if it is one: the matrix gets what goes in, and what it gives comes out untouched."""
    layer = output_layer(net)
    if type(layer) is not nn.Linear or layer._forward_hooks or layer._forward_pre_hooks or "forward" in vars(layer):
        return None
    if not len(hidden) or is_multi_label(net) or torch.is_autocast_enabled("cpu"):
        return None
    if any(type(parameter) is not nn.Parameter for parameter in layer.parameters()):
        return None  # quantised, or spread over processes
    if any(t.dtype != torch.float32 or t.device.type != "cpu" for t in (hidden, *layer.parameters())):
        return None
    trial_hidden = torch.linspace(-1e3, 1e3, hidden.shape[-1])[None, None]
    trial_logits = torch.linspace(-1e6, 1e6, layer.out_features)[None, None]
    seen: list[Tensor] = []

    def stand_in(x: Tensor) -> Tensor:
        seen.append(x)
        return trial_logits

    hidden_before, logits_before = trial_hidden.clone(), trial_logits.clone()
    with torch.no_grad(), forward_replaced(layer, stand_in):
        logits = head(trial_hidden)
    if logits is not trial_logits or not torch.equal(trial_logits, logits_before):
        return None
    if len(seen) != 1 or seen[0].data_ptr() != trial_hidden.data_ptr() or not torch.equal(seen[0], hidden_before):
        return None
    return LinearHead(layer.weight.detach(), None if layer.bias is None else layer.bias.detach())
