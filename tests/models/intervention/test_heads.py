"""The outputs of heads before they are projected."""

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import hybrid, tiny
from torch import Tensor

from attnscope.errors import ModelError
from attnscope.models.attention import output_projection
from attnscope.models.attention.interface import CallChange
from attnscope.models.attention.layout import attention_layout
from attnscope.models.attention.watching import by_layer, watching
from attnscope.models.intervention.heads import heads_changed
from attnscope.models.leave_unchanged import unchanged
from reference.knocked_out import given_to_projection

INPUTS = {"input_ids": torch.tensor([copy_tokenizer()("a b c d e f g h")["input_ids"]])}


@pytest.mark.parametrize(("family", "layer"), [("gpt2", 1), ("qwen3_next", 3)])
def test_what_is_seen_is_what_the_projection_gets(family: str, layer: int) -> None:
    """Also where a gate stands in between."""
    net = hybrid(family) if family == "qwen3_next" else tiny(family)
    layout, seen = attention_layout(net, INPUTS), []

    def see(of: int, given: Tensor) -> None:
        seen.append((of, given))

    with unchanged(net), torch.no_grad(), heads_changed(net, INPUTS, "self", [layer], see) as attended:

        def watch(of: int, call: object) -> CallChange | None:
            attended(of, call)  # type: ignore[arg-type]
            return None

        with watching(net, layout, by_layer(layout, "self", list(layout.heads_of("self")), watch, stop_early=False)):
            net(**INPUTS)
    ((of, given),) = seen
    assert of == layer
    assert given.shape[:3] == (1, 8, 4)
    torch.testing.assert_close(
        given[0].flatten(1), given_to_projection(net, family, layer, INPUTS), atol=1e-4, rtol=1e-3
    )


def test_heads_that_are_mixed_before_the_projection_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    net = tiny("llama")

    def none(*_: object) -> None:
        raise ModelError("what each head writes cannot be told apart")

    monkeypatch.setattr(output_projection, "_find_projections", none)
    with pytest.raises(ModelError, match="told apart"), heads_changed(net, INPUTS, "self", [0], lambda _l, _g: None):
        pass
