"""One label out of several, in the words that each method takes."""

from typing import Any

import pytest
from tiny_models import classifier

import attnscope as ats
from attnscope.methods.table import method_of
from attnscope.studies.label_request import label_request

YES_NO = (" yes", " no")


@pytest.mark.parametrize("name", [name for name, row in ats.METHODS.items() if row.asks != "query"])
def test_a_target_is_held_against_the_other_of_two_labels(copying: ats.Model, name: str) -> None:
    for label in (0, 1):
        assert label_request(copying, method_of(name), YES_NO, label, {}) == {
            "target": YES_NO[label], "against": YES_NO[1 - label], "quantity": "log_probability",
        }  # fmt: skip


def test_of_three_labels_none_is_the_other(copying: ats.Model) -> None:
    asked = label_request(copying, method_of("gradient"), (" a", " b", " c"), 2, {}, position=4)
    assert asked == {"target": " c", "quantity": "log_probability", "position": 4}


@pytest.mark.parametrize("name", [name for name, row in ats.METHODS.items() if row.asks == "query"])
def test_attention_is_followed_from_where_the_label_is_predicted(copying: ats.Model, name: str) -> None:
    assert label_request(copying, method_of(name), YES_NO, 1, {}) == {"target": " no"}
    assert label_request(copying, method_of(name), YES_NO, 1, {}, position="castle") == {
        "target": " no",
        "position": "castle",
    }


@pytest.mark.parametrize("options", [{"query": 2}, {"stack": "encoder"}])
def test_a_query_or_stack_that_was_asked_for_stays(copying: ats.Model, options: dict[str, Any]) -> None:
    assert label_request(copying, method_of("rollout"), YES_NO, 0, options) == {}


def test_a_classifiers_labels_are_read_off_no_token() -> None:
    model = classifier("Sequence")
    assert label_request(model, method_of("rollout"), (0, 1), 0, {}) == {}
    assert label_request(model, method_of("deletion"), (0, 1), 0, {})["target"] == 0


def test_without_labels_nothing_is_asked(copying: ats.Model) -> None:
    assert label_request(copying, method_of("gradient"), (), 0, {}, position=3) == {}
