"""No row leaves a call unless the layer's output follows from it."""

import pytest
import torch
from torch import Tensor, nn

from attnscope.errors import ModelError
from attnscope.models.linear_attention.call import LinearCall
from attnscope.models.linear_attention.recurrence import Recurrence


def parts(count: int = 20) -> tuple[Recurrence, Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 2, count, 4) for _ in range(3))
    recurrence = Recurrence(query, key, -torch.rand(1, 2, count, 1), torch.rand(1, 2, count), delta=False)
    skip = torch.tensor([0.5, 50.0])
    output = recurrence.rows(torch.arange(count)) @ value + skip[:, None, None] * value
    return recurrence, value, output, skip


def test_rows_that_rebuild_the_output_are_given() -> None:
    recurrence, value, output, skip = parts()
    call = LinearCall(nn.Identity(), recurrence, value, output, skip)
    chosen = torch.tensor([3, 11])
    torch.testing.assert_close(call.weights(chosen), recurrence.rows(chosen))
    assert 0 < call.missed < 1e-4
    (block,) = call.blocks(torch.tensor([11, 3]))
    assert block.queries.tolist() == [3, 11]
    one = call.of_text(0, 9)
    torch.testing.assert_close(one.weights(torch.arange(9)), recurrence.rows(torch.arange(9)))


@pytest.mark.parametrize("wrong", ["scaled", "one row", "skip", "nan"])
def test_others_are_refused_by_name(wrong: str) -> None:
    """Also where what goes past the state is much larger than what the recurrence gives."""
    recurrence, value, output, skip = parts()
    if wrong == "scaled":
        output = output + 0.01 * (output - skip[:, None, None] * value)
    elif wrong == "one row":
        output[0, 1, 7, 2] += 0.1
    elif wrong == "nan":
        output[0, 0, 7, 2] = torch.nan
    call = LinearCall(nn.Identity(), recurrence, value, output, None if wrong == "skip" else skip)
    with pytest.raises(ModelError, match="Identity does not return what its unrolled matrix makes of its values"):
        call.weights(torch.arange(20))


def test_rounding_of_the_output_is_allowed() -> None:
    recurrence, value, output, skip = parts()
    call = LinearCall(nn.Identity(), recurrence, value, output.bfloat16(), skip)
    torch.testing.assert_close(call.weights(torch.arange(20)), recurrence.rows(torch.arange(20)))
