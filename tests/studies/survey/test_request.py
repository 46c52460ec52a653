"""What cannot be asked is refused before anything runs; what is asked can be told apart."""

from typing import Any

import pytest
import torch
from snapshot import forget_all
from tiny_models import classifier, small

import attnscope as ats
from attnscope.errors import InputError
from attnscope.studies.survey.request import Ask, about_of, ask_of, differences
from attnscope.studies.survey.rows import Columns


def _ask(model: ats.Model, method: Any = "gradient", **given: Any) -> Ask:
    own = {"labels": (), "template": None, "columns": Columns(), "part_texts": 4, "heads": False}
    parameters = {name: value for name, value in given.items() if name not in own}
    return ask_of(model, method, parameters, **{**own, **{n: v for n, v in given.items() if n in own}})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "gradeint"}, "gradeint"),
        ({"method": []}, "name one method"),
        ({"method": ["gradient", ("gradient", {})]}, "each once"),
        ({"steps": 3}, "no parameter 'steps'"),
        ({"per_token": True}, "one score a word"),
        ({"method": "attention", "query": [0, 1]}, "one score a word"),
        ({"target": [" a"]}, "column of the data"),
        ({"template": "no place"}, "{text}"),
        ({"part_texts": 0}, "part_texts=0"),
        ({"labels": " a"}, "give a list"),
        ({"labels": [" a", " a"]}, "each once"),
    ],
)
def test_what_cannot_be_asked(model: ats.Model, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _ask(model, **given)


def test_several_methods_in_a_list_or_a_tuple_and_one_with_parameters(model: ats.Model) -> None:
    assert [m.name for m, _ in _ask(model, ("gradient", "deletion")).methods] == ["gradient", "deletion"]
    ((method, given),) = _ask(model, ("integrated_gradients", {"steps": 3})).methods
    assert (method.name, given) == ("integrated_gradients", {"steps": 3})


def test_a_classifier_has_labels_of_its_own() -> None:
    assert _ask(classifier("Sequence")).labels == (0, 1, 2)
    assert _ask(classifier("Sequence"), labels=["POSITIVE", "NEGATIVE"]).labels == (2, 0)
    with pytest.raises(InputError, match="no label"):
        _ask(classifier("Sequence"), labels=["FUNNY"])


def test_settings_and_weights_are_told_apart(model: ats.Model) -> None:
    about = about_of(model, _ask(model))
    assert differences(about, about_of(model, _ask(model))) == []
    (different,) = differences(about, about_of(model, _ask(model, labels=[" a", " b"])))
    assert different == 'labels is [] there and [" a", " b"] now'
    other = small("llama", 2.0)
    forget_all()  # it is changed on purpose
    with torch.no_grad():
        next(other.model.parameters()).add_(1e-3)
    (different,) = differences(about, about_of(other, _ask(other)))
    assert different.startswith("weights is")


def test_one_number_of_the_weights_makes_another_model() -> None:
    """A column of one matrix is what a head that is cut out leaves."""
    model = small("llama", 2.0)
    asked = _ask(model)
    before = about_of(model, asked)
    with torch.no_grad():
        model.model.get_submodule("model.layers.0.self_attn.o_proj").weight[1, 3] += 0.5
    (different,) = differences(before, about_of(model, asked))
    assert different.startswith("weights")
    forget_all()  # the change was meant
