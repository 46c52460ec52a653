"""Answers to questions: a passage of the text, from where it begins to where it ends."""

import numpy as np
import pytest
import torch
from tiny_models import PASSAGE, QUESTION, joined_pair, pair_reader

import attnscope as ats
from attnscope.errors import InputError


def test_an_answer_is_a_passage_with_a_beginning_and_an_end() -> None:
    model = pair_reader("QuestionAnswering")
    net, inputs = joined_pair(model)
    with torch.no_grad():
        output = net(**inputs)
    start, end = output.start_logits[0].log_softmax(-1), output.end_logits[0].log_softmax(-1)
    found = ats.explain(model, QUESTION, "gradient_x_input", text_pair=PASSAGE, target="castle stands")
    positions = [i for i, t in enumerate(found.tokens) if len(QUESTION) < t.start and t.text in ("castle", "stands")]
    first = min(i for i, t in enumerate(found.tokens) if t.start == found.text.rindex("castle"))
    last = max(i for i, t in enumerate(found.tokens) if t.end == found.text.index("stands") + 6)
    assert found.measured.value == pytest.approx(float(start[first] + end[last]), abs=1e-5)
    assert set(found.measured.fixed) == {first, last} >= set(positions)
    given = ats.explain(model, QUESTION, "deletion", text_pair=PASSAGE)
    passage = [i for i, t in enumerate(found.tokens) if t.start > len(QUESTION) and not t.special]
    spans = [(a, b) for a in passage for b in passage if a <= b < a + 30]
    a, b = max(spans, key=lambda span: float(output.start_logits[0, span[0]] + output.end_logits[0, span[1]]))
    assert given.measured.value == pytest.approx(float(start[a] + end[b]), abs=1e-5)
    assert given.asked.target is not None
    assert given.asked.target.startswith("log-probability of the given answer")


def test_deleting_a_word_moves_the_answer_with_its_words() -> None:
    model = pair_reader("QuestionAnswering")
    found = ats.explain(model, QUESTION, "deletion", text_pair=PASSAGE, target="hill", signed=True)
    without = ats.explain(model, QUESTION, "deletion", text_pair=PASSAGE.replace("The old", "The"), target="hill")
    (old,) = [w.score for w in found.words if w.text == "old" and w.start > len(QUESTION)]
    assert found.measured.value is not None
    assert without.measured.value is not None
    assert old == pytest.approx(found.measured.value - without.measured.value, abs=1e-4)


def test_padding_is_no_answer() -> None:
    model = pair_reader("QuestionAnswering")
    both = ats.explain(model, [QUESTION, "Is it"], "gradient", text_pair=[PASSAGE, "It is true"])
    alone = ats.explain(model, "Is it", "gradient", text_pair="It is true")
    assert both[1].measured.value == pytest.approx(alone.measured.value, abs=1e-5)
    np.testing.assert_allclose(both[1].scores, alone.scores, rtol=1e-4)


def test_an_answer_that_the_model_rules_out_has_no_probability() -> None:
    """A millionth of a million is more than single precision holds: such numbers would be noise."""
    model = pair_reader("QuestionAnswering")
    handle = model.model.qa_outputs.register_forward_hook(lambda _m, _a, output: output - 1e6)
    with pytest.raises(InputError, match=r"allows no answer there .*give the question as the text"):
        ats.explain(model, PASSAGE, "gradient")
    handle.remove()
