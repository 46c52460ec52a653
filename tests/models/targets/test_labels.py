"""Labels of classifiers, and what they are called."""

from tiny_models import classifier

from attnscope.models.targets.labels import label_name


def test_a_label_goes_by_the_name_in_the_config_if_it_has_one() -> None:
    model = classifier("Sequence")
    assert label_name(model, 2) == "POSITIVE"
    assert label_name(model, 7) == "7"
    assert label_name(model, " a continuation") == " a continuation"


def test_a_config_without_names() -> None:
    model = classifier("Sequence")
    model.model.config.id2label = None
    assert label_name(model, 2) == "2"
