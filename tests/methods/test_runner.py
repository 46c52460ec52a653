"""The one runner: functions of one's own as methods, texts × queries in their order, and what it refuses."""

from typing import Any

import numpy as np
import pytest
import torch
from comparisons import close, eager
from tiny_models import classifier, small

import attnscope as ats
from attnscope.errors import InputError, ModelError, QueryError, TextError
from attnscope.methods.runner import query_positions
from attnscope.models.inputs.encode import encode

TEXT = "a b c d e f"


def surprise(task: ats.Task, *, power: int = 2) -> ats.Scores:
    """A method of one's own that explains a target."""
    values, vectors = task.gradient()
    return ats.Scores(tokens=vectors.norm(dim=-1) ** power, values=values)


def glance(task: ats.Task, *, layer: int = 1) -> ats.Scores:
    """A method of one's own that looks at attention: the first head's row."""
    return ats.Scores(tokens=task.attention_rows([layer])[0][:, 0])


def test_a_function_of_ones_own_is_a_method(llama: ats.Model) -> None:
    result = ats.explain(llama, TEXT, method=surprise, target=" g")
    gradient = ats.explain(llama, TEXT, "gradient", target=" g")
    assert close(result.token_scores, gradient.token_scores**2)
    assert close(result.scores, gradient.token_scores**2)
    assert (result.method, result.family, result.signed) == ("surprise", "own", False)
    assert result.asked.options == {"power": 2}
    assert result.measured.value == gradient.measured.value
    assert (result.asked.target, result.asked.quantity) == (gradient.asked.target, "log_probability")
    assert result.provenance == gradient.provenance
    assert result.provenance["class"] == "LlamaForCausalLM"
    assert result.provenance["torch"] == torch.__version__
    assert ats.Attribution.from_json(result.to_json()) == result


def test_its_options_are_its_keywords(llama: ats.Model) -> None:
    one = ats.explain(llama, TEXT, method=surprise, target=" g", power=1)
    assert close(one.scores, ats.explain(llama, TEXT, "gradient", target=" g").scores)
    assert one.asked.options == {"power": 1}
    with pytest.raises(InputError, match="'surprise' has no parameter 'pwer'; it takes power, target"):
        ats.explain(llama, TEXT, method=surprise, pwer=1)


def test_it_runs_on_each_token_of_a_target_and_on_units(llama: ats.Model) -> None:
    each = ats.explain(llama, TEXT, method=surprise, target=" g h", per_token=True, unit="sentence", power=1)
    gradient = ats.explain(llama, TEXT, "gradient", target=" g h", per_token=True, unit="sentence")
    assert each.scores.shape == (2, 1)
    assert close(each.scores, gradient.scores)
    assert [t.value for t in each.targets] == [t.value for t in gradient.targets]


def test_what_is_not_scores_is_named(llama: ats.Model) -> None:
    def bare(task: ats.Task) -> list[float]:
        return [0.0] * len(task.units)

    with pytest.raises(InputError, match=r"the method 'bare' returned list: it must return attnscope\.Scores"):
        ats.explain(llama, TEXT, method=bare)
    with pytest.raises(InputError, match="'bare' returned list"):
        ats.explain(llama, TEXT, method=bare, query=0)


def test_a_method_of_ones_own_looks_from_a_query(llama: ats.Model) -> None:
    for query in (3, "d", None):
        ours = ats.explain(llama, TEXT, method=glance, query=query)
        theirs = ats.attention(llama, TEXT, layer=1, head=0, query=query)
        np.testing.assert_array_equal(ours.token_scores, theirs.token_scores)
        assert ours.asked.query == query
        assert ours.measured.query_tokens == theirs.measured.query_tokens
        # Whether its scores are shares of attention, a function does not say.
        assert ours.excluded_mass is None
    with pytest.raises(InputError, match="the task has no query"):
        ats.explain(llama, TEXT, method=glance)


def test_texts_by_queries_come_in_their_order(llama: ats.Model) -> None:
    """The longest text first, so that batches by length turn the order around."""
    texts, queries = ["a b c d e f g h", "b", "c d", "a a a"], [-1, 0, None]
    results = ats.explain(llama, texts, method=glance, query=queries)
    assert [[one.text for one in row] for row in results] == [[text] * 3 for text in texts]
    assert [[one.asked.query for one in row] for row in results] == [queries] * 4
    for text, row in zip(texts, results, strict=True):
        first_head = eager(llama, text)[1][0].numpy()
        for one, expected in zip(row, (first_head[-1], first_head[0], first_head.mean(0)), strict=True):
            np.testing.assert_allclose(one.token_scores, expected, atol=1e-5)
    single = ats.explain(llama, texts, method=glance, query=-1)
    assert single == [row[0] for row in results]


def test_a_model_without_a_head_still_attends(minilm: ats.Model) -> None:
    text = "the castle on the hill"
    ours = ats.explain(minilm, [text, "castles"], method=glance, query=-1)[0]
    np.testing.assert_allclose(ours.token_scores, eager(minilm, text)[1][0, -1], atol=1e-5)
    assert [w.text for w in ours.words] == text.split()
    with pytest.raises(ModelError, match="no language-model head"):
        ats.explain(minilm, text, method=surprise)


def test_a_text_beside_a_query_follows(llama: ats.Model) -> None:
    """It is attended to like the rest; the result says where the given text ends."""
    followed = ats.explain(llama, "a b c", method=glance, query=-1, target=" d e")
    assert followed.text == "a b c d e"
    assert followed.measured.continued_at == len("a b c")
    np.testing.assert_allclose(followed.token_scores, eager(llama, "a b c d e")[1][0, -1], atol=1e-5)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"against": " g"}, "against does not go with a query of rollout"),
        ({"quantity": "logit"}, "quantity does not go with a query of rollout"),
        ({"position": 0}, "both a query and a target were given"),
        ({"target": " g", "per_token": True}, "both a query and a target were given"),
    ],
)
def test_what_does_not_go_with_a_query_is_named(llama: ats.Model, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        ats.explain(llama, TEXT, method="rollout", query=1, **asked)


@pytest.mark.parametrize("position", [0, 2])
def test_the_label_of_a_token_is_looked_at_from_there(position: int) -> None:
    """Also where the position, or the label, is the first of all."""
    model = classifier("Token")
    at = ats.explain(model, TEXT, method="rollout", position=position, target=0)
    row = ats.explain(model, TEXT, method="rollout", query=position)
    np.testing.assert_allclose(at.token_scores, row.token_scores, atol=1e-6)
    assert at.measured.value == pytest.approx(
        ats.explain(model, TEXT, "gradient", position=position, target=0).measured.value
    )


def test_the_values_of_attention_are_the_targets(llama: ats.Model) -> None:
    """Rows of attention come with no value: the runner reads it off."""
    looked = ats.explain(llama, TEXT, method="attention", target=" g")
    assert looked.measured.value == pytest.approx(
        ats.explain(llama, TEXT, "gradient", target=" g").measured.value, rel=1e-5
    )
    assert looked.measured.query_tokens == (5,)


def test_query_positions() -> None:
    encoded = encode(small("llama").tokenizer, "a b [PAD] a")
    assert query_positions(encoded, None) == (0, 1, 3)
    assert query_positions(encoded, "a") == (0,)
    assert query_positions(encoded, -1) == (3,)
    assert query_positions(encoded, 2) == (2,)
    for query in (True, 1.5, ("a",)):
        with pytest.raises(QueryError, match="is neither a word nor the index of a token"):
            query_positions(encoded, query)
    with pytest.raises(QueryError, match="query token 4 is out of range: the text has the tokens 0 to 3"):
        query_positions(encoded, 4)


def test_a_wrong_text_of_many_is_named_before_anything_runs(llama: ats.Model) -> None:
    ran = []

    def counting(task: ats.Task) -> ats.Scores:
        ran.append(task)
        return surprise(task)

    with pytest.raises(TextError, match="text 1 of 2: the text is empty"):
        ats.explain(llama, ["a", ""], method=counting)
    assert not ran
