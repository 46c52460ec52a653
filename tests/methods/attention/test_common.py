"""What chains over layers refuse: heads put together in no known way, and attention that leads to another text."""

import pytest
from captured import tasks_of
from tiny_models import small

import attnscope as ats
from attnscope.errors import InputError, ModelError
from attnscope.methods.attention.common import check_over_heads, within_one_text


def test_a_way_of_putting_heads_together_is_one_of_the_choices(llama: ats.Model) -> None:
    for over in ("mean", "max", "min"):
        check_over_heads(over)
    with pytest.raises(InputError, match=r"heads='min': choose from mean, max$"):
        check_over_heads("min", ("mean", "max"))
    for method, row in ats.METHODS.items():
        if "heads" in row.options:
            with pytest.raises(InputError, match="heads='sum': choose from mean, max, min"):
                ats.explain(llama, "a b", method=method, heads="sum")


def test_cross_attention_leads_out_of_the_text() -> None:
    model = small("bart")
    stacks = {
        "cross": {"stack": "cross", "target": "d e"},
        "decoder": {"stack": "decoder", "target": "d e"},
        "encoder": {"stack": "encoder"},
    }
    tasks = {stack: tasks_of(model, "a b c", "query", query=0, **asked)[0] for stack, asked in stacks.items()}
    within_one_text(tasks["encoder"])
    within_one_text(tasks["decoder"])
    with pytest.raises(ModelError, match=r"nothing follows attention .* within one text; cross-attention goes from"):
        within_one_text(tasks["cross"])
