"""What may be asked for together, and scores on the scored tokens."""

import pytest
import torch

from attnscope.errors import InputError
from attnscope.models.inputs.encode import Encoded
from attnscope.models.targets.target import Objective, Target, explained, quantity_of, written_text
from attnscope.text.words import TokenSpan


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"quantity": "surprise"}, "choose from log_probability, loss, logit, probability"),
        ({"generate": 0}, "1 or more"),
        ({"generate": 2, "target": " a"}, "give one"),
        ({"generate": 2, "against": " a"}, "give one"),
        ({"against": " a"}, "give target too"),
        ({"per_token": True, "target": " a", "against": " b"}, "per_token=True takes"),
    ],
)
def test_what_does_not_go_together(given: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Target(**given)


def test_what_goes_together() -> None:
    assert quantity_of(Target(" a", per_token=True), "loss") == "loss"
    assert quantity_of(Target(" a", against=" b", quantity="logit"), "loss") == "logit"
    assert explained("the label 'good'", "log_probability") == "log-probability of the label 'good'"
    assert written_text(" a") == " a"
    for wrong in ("", 3, None):
        with pytest.raises(InputError, match="is not a text"):
            written_text(wrong)


def test_scores_on_the_scored_tokens() -> None:
    """A pass may read more tokens than are scored (a continuation), or one less (the last token of a text)."""
    encoded = Encoded("a b", {"input_ids": [3, 4]}, (TokenSpan("a", 0, 1, False), TokenSpan("b", 2, 3, False)), ())
    objective = Objective(encoded, (), "", "loss")
    assert objective.scored == 2
    assert objective.on_tokens(torch.tensor([[1.0, 2.0, 3.0]])).tolist() == [[1.0, 2.0]]
    assert objective.on_tokens(torch.tensor([[[1.0]]])).tolist() == [[[1.0], [0.0]]]
