"""The recurrence of a layer of linear attention, unrolled to rows of its token × token matrix.

Such a layer keeps a state S, (hidden, value), that each token decays, corrects and adds to, and that a query reads:

    S_t = (I − δ s_t k_t k_tᵀ) diag(α_t) S_{t−1} + s_t k_t v_tᵀ,      o_i = q_iᵀ S_i

α_t in (0, 1] is the decay, one number a head or one a channel; s_t is the strength that a token is written with. δ = 1
is the delta rule, which first takes out what the state holds under the key (Gated DeltaNet, Kimi delta attention);
with δ = 0 the token is only added (Mamba 2, lightning attention). The output is linear in the values:

    o_i = Σ_j M_ij v_j,   M_ij = s_j q_iᵀ [Π_{t=i…j+1} (I − δ s_t k_t k_tᵀ) diag(α_t)] k_j,   M_ij = 0 for j > i.

No state is ever formed. A row is followed back from its query as a vector, c_{j−1} = α_j ⊙ (c_j − δ M_ij k_j), M_ij =
s_j k_jᵀ c_j: O(token · hidden) per row. Tokens are taken a chunk at a time; within one, its M_ij solve a triangular
system whose matrix is the same for all queries.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

# Tokens of a chunk: with a decay per channel, a chunk's pairs are formed for each channel.
_CHUNK, _CHUNK_BY_CHANNEL = 64, 16


@dataclass(frozen=True, eq=False)
class Recurrence:
    """query, key: (batch, head, token, hidden), as they meet, scaled and normalised.

    log_decay: log α, (batch, head, token, hidden), or (…, 1) where a head's channels decay alike.
    strength:  s, (batch, head, token).
    delta:     whether δ = 1.
    """

    query: Tensor
    key: Tensor
    log_decay: Tensor
    strength: Tensor
    delta: bool

    def of_text(self, place: int, tokens: int) -> "Recurrence":
        """That of one text of the batch, without its padding on the right."""
        query, key, log_decay, strength = (
            x[place : place + 1, :, :tokens] for x in (self.query, self.key, self.log_decay, self.strength)
        )
        return Recurrence(query, key, log_decay, strength, self.delta)

    def rows(self, chosen: Tensor) -> Tensor:
        """(batch, head, chosen, key ≤ keys): the rows of M of the chosen queries, in ascending order."""
        chosen = chosen.to(self.query.device)
        if self.delta or self.log_decay.shape[-1] > 1:
            return self._by_chunks(chosen)
        seen = int(chosen.max()) + 1
        products = self.query[:, :, chosen] @ self.key[:, :, :seen].transpose(-1, -2)
        total = self._decay_until[..., 0]
        apart = total[:, :, chosen, None] - total[:, :, None, :seen]
        behind = torch.arange(seen, device=chosen.device) > chosen[:, None]
        decayed = apart.masked_fill(behind, -torch.inf).to(products).exp()
        return products * decayed * self.strength[:, :, None, :seen]

    @cached_property
    def _decay_until(self) -> Tensor:
        """(batch, head, token, hidden or 1) log of the decay since the first token; differences of it are ≤ 0.

        In double precision: over long texts it grows large, and what counts are differences.
        """
        return self.log_decay.double().cumsum(2)

    @cached_property
    def _chunks(self) -> list[slice]:
        size = _CHUNK if self.log_decay.shape[-1] == 1 else _CHUNK_BY_CHANNEL
        count = self.key.shape[2]
        return [slice(start, min(start + size, count)) for start in range(0, count, size)]

    @cached_property
    def _corrections(self) -> list[Tensor]:
        """Of each chunk (batch, head, key, key): what turns the products of its keys with a row into the row's M."""
        return [self._correction(chunk) for chunk in self._chunks]

    def _correction(self, chunk: slice) -> Tensor:
        key = self.key[:, :, chunk]
        size = key.shape[2]
        unit = torch.eye(size, dtype=key.dtype, device=key.device).expand(*key.shape[:2], size, size)
        if not self.delta:
            return unit
        # (later, earlier): what an M of a later token takes away from that of an earlier one.
        taken = self._decayed_products(key, chunk, chunk).tril(-1)
        inverse: Tensor = torch.linalg.solve_triangular(unit + taken, unit, upper=False, unitriangular=True)
        return inverse

    def _decayed_products(self, rows: Tensor, at: slice | Tensor, chunk: slice) -> Tensor:
        """(batch, head, row, key): rows (batch, head, row, hidden) at tokens of a chunk, with its keys as they decay.

        s_j k_jᵀ diag(Π_{t=j+1…i} α_t) r_i; 0 where the key is behind the row.
        """
        until, key = self._decay_until, self.key[:, :, chunk]
        places = torch.arange(until.shape[2], device=key.device)
        behind = places[chunk] > places[at][:, None]
        apart = until[:, :, at, None] - until[:, :, None, chunk]  # (batch, head, row, key, hidden or 1)
        decay = apart.masked_fill(behind[..., None], -torch.inf).to(rows).exp()
        if decay.shape[-1] == 1:
            products = (rows @ key.transpose(-1, -2)) * decay[..., 0]
        else:
            products = torch.einsum("bhid,bhjd,bhijd->bhij", rows, key, decay)
        return products * self.strength[:, :, None, chunk]

    def _by_chunks(self, chosen: Tensor) -> Tensor:
        seen = int(chosen.max()) + 1
        query, until = self.query, self._decay_until
        rows = query.new_zeros(*query.shape[:2], len(chosen), seen)
        # The chosen queries beyond the chunk, and what each of them reads of the state after it.
        reading = query.new_zeros(*query.shape[:2], 0, query.shape[-1])
        first_beyond = len(chosen)
        for chunk, correction in reversed(list(zip(self._chunks, self._corrections, strict=True))):
            if chunk.start >= seen:
                continue
            chunk = slice(chunk.start, min(chunk.stop, seen))
            size = chunk.stop - chunk.start
            first_inside = int((chosen < chunk.start).sum())
            inside = chosen[first_inside:first_beyond]
            key, at_end = self.key[:, :, chunk], until[:, :, chunk.stop - 1 : chunk.stop]
            before = until[:, :, chunk.start - 1 : chunk.start] if chunk.start else torch.zeros_like(at_end)
            written = self.strength[:, :, chunk, None] * key * (at_end - until[:, :, chunk]).to(key).exp()
            products = [
                self._decayed_products(query[:, :, inside], inside, chunk),
                reading @ written.transpose(-1, -2),
            ]
            weights = torch.cat(products, 2) @ correction[:, :, :size, :size]
            rows[:, :, first_inside:, chunk] = weights
            reading = torch.cat(
                [
                    query[:, :, inside] * (until[:, :, inside] - before).to(key).exp(),
                    reading * (at_end - before).to(key).exp(),
                ],
                2,
            )
            if self.delta:
                reading -= weights @ (key * (until[:, :, chunk] - before).to(key).exp())
            first_beyond = first_inside
        return rows
