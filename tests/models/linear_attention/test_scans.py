"""What is read from each family's call: rows as the papers have them, in every precision."""

import pytest
import torch
from tiny_models import LINEAR, linear

from attnscope.errors import ModelError
from attnscope.models.linear_attention.call import LinearCall
from attnscope.models.linear_attention.capture import capture_linear
from attnscope.models.linear_attention.scans import SCANS, read_scan
from reference.linear import linear_matrices

IDS = {"input_ids": torch.arange(3, 30)[None]}


def matrices(net: object, layers: list[int]) -> list[torch.Tensor]:
    seen: list[torch.Tensor] = []

    def see(layer: int, call: LinearCall) -> None:
        assert layer == layers[len(seen)]
        seen.append(call.weights(torch.arange(call.queries)))

    capture_linear(net, IDS, layers, see)  # type: ignore[arg-type]
    return seen


@pytest.mark.parametrize("family", LINEAR)
def test_rows_are_the_papers(family: str) -> None:
    net, layers = linear(family), LINEAR[family][3]
    for ours, expected in zip(matrices(net, layers), linear_matrices(net, IDS), strict=True):
        assert ours.shape == (1, LINEAR[family][4], 27, 27)
        assert not ours.triu(1).any()
        assert expected.tril(-1).abs().max() > 1e-4
        torch.testing.assert_close(ours.double(), expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize(
    ("family", "dtype"),
    [
        *((family, torch.float64) for family in ("qwen3_5", "olmo_hybrid", "mamba2")),
        *((family, torch.bfloat16) for family in ("qwen3_next", "kimi_linear", "mamba2", "minimax")),
    ],
)
def test_in_other_precisions(family: str, dtype: torch.dtype) -> None:
    net, layers = linear(family, 2.0, dtype), LINEAR[family][3]
    for ours, expected in zip(matrices(net, layers), linear_matrices(net, IDS), strict=True):
        off = 0.02 if family == "minimax" and dtype == torch.bfloat16 else 1e-4
        torch.testing.assert_close(ours.double(), expected, rtol=off, atol=off * float(expected.abs().max()))


@pytest.mark.parametrize("scan", SCANS.values(), ids=list(SCANS))
def test_a_cached_state_is_refused(scan: object) -> None:
    with pytest.raises(ModelError, match="goes on from a cached state"):
        read_scan(scan, torch.nn.Identity(), (), {scan.state: torch.zeros(1)}, None)  # type: ignore[arg-type,attr-defined]
