"""What the methods that compare sets of words share: a default cover, and no deletion from a text's own loss."""

import pytest
from captured import tasks_of

import attnscope as ats
from attnscope.errors import InputError
from attnscope.methods.perturbation.common import compared_with

COMPARING = ["shapley", "lime", "surrogate"]


def test_words_left_out_are_compared_only_where_the_target_stays_the_same(llama: ats.Model) -> None:
    (of_text,) = tasks_of(llama, "a b c")
    (of_target,) = tasks_of(llama, "a b c", target=" d")
    assert (compared_with(of_text, None), compared_with(of_text, "pad")) == ("mean", "pad")
    assert compared_with(of_target, "delete") == "delete"
    with pytest.raises(InputError, match="do not add up: give a target, or another replacement"):
        compared_with(of_text, "delete")


@pytest.mark.parametrize("method", COMPARING)
def test_each_of_them_says_what_it_used_and_refuses(llama: ats.Model, method: str) -> None:
    assert ats.explain(llama, "a b c", method=method).asked.options["replacement"] == "mean"
    deleted = ats.explain(llama, "a b c", method=method, target=" d", replacement="delete")
    assert deleted.asked.options["replacement"] == "delete"
    with pytest.raises(InputError, match="do not add up"):
        ats.explain(llama, "a b c", method=method, replacement="delete")
