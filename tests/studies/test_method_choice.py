"""The methods of an evaluation: what they are called, and what each explains."""

import pytest

import attnscope as ats
from attnscope.errors import InputError
from attnscope.methods.table import method_of
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.targets.label_probabilities import choices
from attnscope.results.evaluation import Sample
from attnscope.studies.method_choice import MethodChoice, explained, method_choices
from attnscope.studies.perturbed_text import PerturbedText

TEXT = "a b c d e f"


def test_a_method_goes_by_its_name_and_parameters_and_random_is_beside_them() -> None:
    assert method_choices(["deletion", ("occlusion", {"width": 2})]) == [
        MethodChoice("deletion", method_of("deletion"), {}),
        MethodChoice("occlusion (width=2)", method_of("occlusion"), {"width": 2}),
        MethodChoice("random", method_of("random"), {}),
    ]


def test_random_is_not_added_where_it_was_named() -> None:
    assert [choice.name for choice in method_choices([("random", {"seed": 3}), "deletion"])] == [
        "random (seed=3)",
        "deletion",
    ]


def test_by_default_every_method_is_chosen() -> None:
    assert [choice.name for choice in method_choices(None)] == list(ats.METHODS)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        (["gradeint"], "meant 'gradient'"),
        ([("gradient", {"layer": 3})], "no parameter 'layer'"),
        (["gradient", "gradient"], "twice"),
        ([("occlusion", {"width": 2}), ("occlusion", {"width": 2})], "twice"),
    ],
)
def test_what_is_refused(methods: list, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError, match=message):
        method_choices(methods)


def perturbed(model: ats.Model, labels: tuple[str, ...] = (" c", " x"), first: int = 0) -> PerturbedText:
    """The last of the labels is explained."""
    (encoded,) = encoded_texts(model, [TEXT])
    return PerturbedText(choices(model, encoded, labels), encoded.words[first:], len(labels) - 1, "pad")


def test_the_method_explains_the_chosen_label_held_against_the_other(copying: ats.Model) -> None:
    choice = MethodChoice("deletion", method_of("deletion"), {})
    found = explained(copying, Sample(TEXT), choice, perturbed(copying), False)
    asked = {"target": " x", "against": " c", "quantity": "log_probability"}
    assert found.scores.tolist() == ats.explain(copying, TEXT, "deletion", **asked).scores.tolist()


def test_only_the_judged_words_are_scored_where_a_piece_of_the_text_is_judged(copying: ats.Model) -> None:
    choice = MethodChoice("occlusion", method_of("occlusion"), {})
    found = explained(copying, Sample(TEXT, within=(4, 11)), choice, perturbed(copying, first=2), False)
    judged = {word.text: word.score for word in found.words}
    assert list(judged) == ["c", "d", "e", "f"]
    assert judged.pop("c") < -1, "it speaks for the other label"
    assert list(judged.values()) == pytest.approx([0, 0, 0], abs=1e-5)


def test_a_method_that_gives_several_results_is_refused(copying: ats.Model) -> None:
    choice = MethodChoice("gradient (per_token=True)", method_of("gradient"), {"per_token": True})
    with pytest.raises(InputError, match=r"gradient \(per_token=True\) gives several results"):
        explained(copying, Sample(TEXT), choice, perturbed(copying, (" c",)), False)
