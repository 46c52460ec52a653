"""Rows of the unrolled matrix, against the recurrence with every state formed, and where the truth is known."""

import pytest
import torch
from torch import Tensor

from attnscope.models.linear_attention.recurrence import Recurrence
from reference.linear import matrix


def random(count: int, *, delta: bool, channels: bool, strongest: float = 0.5) -> Recurrence:
    """Two texts of three heads, in float64, with decays of all strengths."""
    chance = torch.Generator().manual_seed(count)
    query, key = (torch.randn(2, 3, count, 5, generator=chance, dtype=torch.float64) for _ in range(2))
    key = key / key.norm(dim=-1, keepdim=True)
    decay = -strongest * torch.rand(2, 3, count, 5 if channels else 1, generator=chance, dtype=torch.float64) ** 4
    strength = torch.rand(2, 3, count, generator=chance, dtype=torch.float64) * (2 if delta else 5)
    return Recurrence(query, key, decay, strength, delta)


def by_hand(of: Recurrence) -> Tensor:
    return torch.stack(
        [
            torch.stack(
                [
                    matrix(of.query[b, h], of.key[b, h], of.log_decay[b, h].exp(), of.strength[b, h], delta=of.delta)
                    for h in range(of.query.shape[1])
                ]
            )
            for b in range(len(of.query))
        ]
    )


@pytest.mark.parametrize("count", [1, 16, 17, 65, 130])
@pytest.mark.parametrize("channels", [False, True])
@pytest.mark.parametrize("delta", [False, True])
def test_rows_are_those_of_the_recurrence(delta: bool, channels: bool, count: int) -> None:
    recurrence = random(count, delta=delta, channels=channels)
    expected = by_hand(recurrence)
    torch.testing.assert_close(recurrence.rows(torch.arange(count)), expected, rtol=1e-9, atol=1e-11)
    for chosen in ([0], [count - 1], [0, count // 3, count // 2], [*range(count // 4, count // 2)] or [0]):
        places = torch.tensor(sorted(set(chosen)))
        rows = recurrence.rows(places)
        torch.testing.assert_close(rows, expected[:, :, places, : rows.shape[-1]], rtol=1e-9, atol=1e-11)
        assert not expected[:, :, places, rows.shape[-1] :].any()


@pytest.mark.parametrize("delta", [False, True])
def test_strong_decay_and_a_long_text_stay_exact(delta: bool) -> None:
    """Decays of thousands of e-folds over the text; single precision throughout."""
    recurrence = random(300, delta=delta, channels=False, strongest=60.0)
    single = Recurrence(
        *(x.float() for x in (recurrence.query, recurrence.key, recurrence.log_decay, recurrence.strength)), delta
    )
    rows = single.rows(torch.arange(300))
    torch.testing.assert_close(rows.double(), by_hand(recurrence), rtol=1e-4, atol=1e-6)


def test_the_delta_rule_with_orthonormal_keys_is_a_lookup() -> None:
    """Nothing decays and all is written in full: a query reads the last value written under each key, and no other."""
    names = torch.tensor([0, 1, 2, 0, 3, 1, 0])
    keys = torch.eye(4)[names]
    query = torch.arange(28.0).reshape(7, 4) - 9
    recurrence = Recurrence(query[None, None], keys[None, None], torch.zeros(1, 1, 7, 1), torch.ones(1, 1, 7), True)
    expected = torch.zeros(7, 7)
    for i in range(7):
        for name in set(names[: i + 1].tolist()):
            last = max(j for j in range(i + 1) if names[j] == name)
            expected[i, last] = query[i, name]
    torch.testing.assert_close(recurrence.rows(torch.arange(7))[0, 0], expected)


def test_one_text_of_a_batch_is_its_own() -> None:
    recurrence = random(40, delta=True, channels=True)
    rows = recurrence.rows(torch.arange(40))
    torch.testing.assert_close(recurrence.of_text(1, 23).rows(torch.arange(23)), rows[1:, :, :23, :23])
