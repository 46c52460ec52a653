"""A text on a model whose answer is known: it says the word three places before the end, " c" in "a b c d e f"."""

from collections.abc import Callable

import pytest
import torch
from planted import CopyBack, copy_tokenizer

import attnscope as ats
from attnscope.metrics.query import Explanation
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.targets.label_probabilities import choices
from attnscope.studies.metric_rounds import measure
from attnscope.studies.perturbed_text import PerturbedText


@pytest.fixture(scope="package")
def planted_text() -> PerturbedText:
    net = CopyBack.make(back=3)
    with torch.no_grad():
        net.lm_head.weight.mul_(8)
    model = ats.Model(net, copy_tokenizer())
    (encoded,) = encoded_texts(model, ["a b c d e f"])
    answers = choices(model, encoded, [" c"])
    return PerturbedText(answers, encoded.words, 0, "pad")


@pytest.fixture(scope="package")
def value(planted_text: PerturbedText) -> Callable[[str, Explanation], float]:
    """The value of a metric of an explanation of the planted text."""

    def measured(metric: str, explanation: Explanation) -> float:
        return measure({"x": explanation}, [metric], planted_text, {})["x", metric]

    return measured
