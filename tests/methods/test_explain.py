"""What callers call: its defaults are those of the methods' rows."""

import inspect

import pytest

import attnscope as ats
from attnscope.methods.explain import DEFAULT

TEXT = "a b c d"


def test_explain_chooses_unless_a_method_is_named(llama: ats.Model) -> None:
    assert inspect.signature(ats.explain).parameters["method"].default == DEFAULT == "auto"
    chosen = ats.explain(llama, TEXT, target=" e")
    assert chosen == ats.explain(llama, TEXT, method="auto", target=" e")
    assert chosen == ats.explain(llama, TEXT, method="deletion", signed=True, target=" e")


def test_a_text_itself_is_explained_by_gradient(llama: ats.Model) -> None:
    result = ats.explain(llama, TEXT)
    assert result.method == "gradient"
    assert result == ats.explain(llama, TEXT, method="gradient")
    assert result == ats.explain(llama, TEXT, method=ats.METHODS["gradient"])


def test_attention_has_the_defaults_of_its_row(llama: ats.Model) -> None:
    signature = {name: p.default for name, p in inspect.signature(ats.attention).parameters.items()}
    row = ats.METHODS["attention"]
    assert signature.keys() & row.options.keys() == {"layer", "head"}, "linear is one of the shared options"
    assert {name: signature.get(name) for name in row.options} == row.options
    assert signature["query"] == row.query
    assert ats.attention(llama, TEXT) == ats.explain(llama, TEXT, method="attention")
    asked = {"layer": 1, "head": "mean", "query": "c"}
    assert ats.attention(llama, TEXT, **asked) == ats.explain(llama, TEXT, method="attention", **asked)


@pytest.mark.parametrize("method", ats.METHODS)
def test_nothing_asked_for_is_the_methods_own_options(llama: ats.Model, method: str) -> None:
    row = ats.METHODS[method]
    assert ats.explain(llama, TEXT, method=method) == ats.explain(llama, TEXT, method=method, **row.options)


def test_one_text_gives_a_result_and_a_list_a_list(llama: ats.Model) -> None:
    one, many = ats.explain(llama, TEXT), ats.explain(llama, [TEXT])
    assert many == [one]
    assert ats.attention(llama, [TEXT], query=[0, 1]) == [ats.attention(llama, TEXT, query=[0, 1])]
    assert isinstance(ats.explain(llama, [TEXT], "gradient", target=" e", per_token=True)[0], ats.PerToken)
