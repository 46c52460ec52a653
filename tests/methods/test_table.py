"""The one table of methods, and what every method has to do: its contract, planted truths, batches, units, refusals."""

from typing import Any

import pytest
from comparisons import close
from planted import CopyBack, attention_copy, copy_tokenizer

import attnscope as ats
from attnscope.errors import AttnscopeError, InputError
from attnscope.methods.table import method_of
from attnscope.models.gradients import input_gradients
from attnscope.models.perturbation import prefix_reuse, without_tokens
from attnscope.models.targets import readout

TEXT = "a b c d e f"
SENTENCES = "a b . c d e . f"
# Samples enough for a small text, of the methods that make many passes by default.
FEW: dict[str, dict[str, Any]] = {"lime": {"samples": 40}, "shapley": {"pairs": 3}}
# What explains a target. The yardstick knows no truth.
IMPORTANCE = [row.name for row in ats.METHODS.values() if row.asks == "target" and row.family != "baseline"]
# CopyBack has no attention and no norms, whose rules gim changes.
WITHOUT_ATTENTION = [name for name in IMPORTANCE if name not in ("gim", "mask_gradient")]


@pytest.mark.parametrize("method", WITHOUT_ATTENTION)
def test_planted_truth_the_copied_token_comes_first(method: str) -> None:
    """The model's next token is the one read two places back: of "a b c d e f" that is e."""
    model = ats.Model(CopyBack.make(back=1), copy_tokenizer())
    result = ats.explain(model, TEXT, method=method, target="e", **FEW.get(method, {}))
    assert result.words[int(result.scores.argmax())].text == "e"


@pytest.mark.parametrize("method", [name for name in WITHOUT_ATTENTION if name not in FEW])
def test_planted_truth_of_each_generated_token(method: str) -> None:
    model = ats.Model(CopyBack.make(back=1), copy_tokenizer())
    result = ats.explain(model, TEXT, method=method, generate=3, per_token=True)
    assert [t.text for t in result.targets] == ["e", "f", "e"]
    # Each repeats what stood two places before it.
    assert [int(i) for i in result.scores.argmax(1)] == [4, 5, 6]
    assert result == ats.PerToken.from_json(result.to_json())


@pytest.mark.parametrize("method", [name for name, row in ats.METHODS.items() if row.family != "baseline"])
def test_planted_truth_of_a_copy_by_attention(method: str) -> None:
    """A head looks one place back, and what it finds is the next token. Nothing else takes a tenth of its score.

    But for the query itself: half of what is followed through layers stays where it is, and a gradient sees that the
    head could look elsewhere.
    """
    model = ats.Model(attention_copy(1), copy_tokenizer())
    result = ats.explain(model, TEXT, method=method, target=" e", unit="token", **FEW.get(method, {}))
    copied = TEXT.split().index("e")
    assert result.scores[copied] == pytest.approx(result.scores.max(), rel=1e-3)
    assert result.scores[:copied].max() < 0.1 * result.scores[copied]


@pytest.mark.parametrize("prefix", [True, False])
@pytest.mark.parametrize("method", ["deletion", "occlusion"])
def test_what_a_target_does_not_read_scores_exactly_zero(
    llama: ats.Model, method: str, prefix: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not prefix:
        monkeypatch.setattr(without_tokens, "reuses_prefix", lambda *_: False)
    result = ats.explain(llama, TEXT, method=method, target=" g h k", per_token=True)
    for row, target in zip(result.scores, result.targets, strict=True):
        assert (row[target.index :] == 0).all()
        assert row[: target.index].any()


@pytest.mark.parametrize("method", ats.METHODS)
def test_batched_or_not_the_numbers_are_the_same(
    llama: ats.Model, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["a b", TEXT, "h g f e d c b a"]
    few = FEW.get(method, {})
    together = ats.explain(llama, texts, method=method, target=" k", **few)
    monkeypatch.setattr(input_gradients, "BUDGET", 1)
    monkeypatch.setattr(readout, "BUDGET", 1)
    monkeypatch.setattr(prefix_reuse, "BUDGET", 1)
    for text, result in zip(texts, together, strict=True):
        alone = ats.explain(llama, text, method=method, target=" k", **few)
        assert close(result.scores, alone.scores)


@pytest.mark.parametrize("method", ats.METHODS)
def test_every_method_drills(llama: ats.Model, method: str) -> None:
    result = ats.explain(
        llama, SENTENCES, method=method, target=" g h", per_token=True, within=(6, 11), **FEW.get(method, {})
    )
    assert [w.text for w in result.first.words] == ["c", "d", "e"]


@pytest.mark.parametrize(
    ("method", "parameters", "says"),
    [
        ("deletion", {"against": " g"}, "needs a target"),
        ("deletion", {"target": " g", "generate": 2}, "give one"),
        ("deletion", {"per_token": True}, "per_token"),
        ("gradient", {"unit": "page"}, "choose from word, token"),
        ("gradient", {"segments": {"a": (3, 99)}}, "the segment 'a'"),
        ("gradient", {"segments": {"a": (0, 4), "b": (3, 6)}}, "share characters"),
        ("occlusion", {"replacement": "delete"}, "'deletion'"),
        ("shapley", {"replacement": "delete"}, "add up"),
        ("shapley", {"pairs": 1}, "2 or more"),
        ("lime", {"samples": 0}, "samples=0"),
        ("integrated_gradients", {"baseline": "noise"}, "choose from zero"),
        ("integrated_gradients", {"steps": 0}, "1 or more"),
        ("gradient", {"quantity": "score"}, "log_probability, loss"),
        ("gradient", {"position": 1}, "token classifiers and masked"),
        ("gradient", {"target": ""}, "not a text"),
        ("gradient", {"generate": 0}, "1 or more"),
    ],
)
def test_what_cannot_be_asked_says_so(llama: ats.Model, method: str, parameters: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        ats.explain(llama, TEXT, method=method, **parameters)


@pytest.mark.parametrize("name", ats.METHODS)
def test_every_method_in_the_table_keeps_the_contract(llama: ats.Model, name: str) -> None:
    method = ats.METHODS[name]
    result = ats.explain(llama, "a b c d", method=name)
    assert result.method == method.name == name
    assert result.family == method.family
    assert result.text == "a b c d"
    assert len(result.scores) == len(result.words) > 0
    assert method.sign == "signed" or (result.scores >= 0).all()
    assert result.signed == (method.sign == "signed")
    assert (result.excluded_mass is not None) == method.shares
    assert result.asked.options.keys() == method.options.keys()
    assert ats.Attribution.from_json(result.to_json()) == result
    assert method.run.__doc__
    assert method.unit
    assert "{" not in method.cost_in_words
    assert method.cost_in_words
    with pytest.raises(AttnscopeError):
        ats.explain(llama, "", method=name)


def test_a_row_of_a_function_is_its_own_and_a_name_without_a_row_says_which_is_near() -> None:
    def surprise(task: ats.Task, *, power: int = 2) -> ats.Scores:
        return ats.Scores(tokens=[0.0])

    row = method_of(surprise)
    assert (row.name, row.family, row.options) == ("surprise", "own", {"power": 2})
    assert method_of(row) is row
    assert {"query", "stack"} <= set(row.shared_options)
    assert method_of("lime") is ats.METHODS["lime"]
    with pytest.raises(InputError, match=r"no method 'lim'; choose from gradient, .*\(meant 'lime'\?\)"):
        method_of("lim")
    with pytest.raises(InputError, match="no method 'zzz'; choose from gradient") as caught:
        method_of("zzz")
    assert "meant" not in str(caught.value)


def test_only_what_looks_from_a_query_takes_one() -> None:
    for name, row in ats.METHODS.items():
        assert ("query" in row.shared_options) == (row.asks != "target"), name
        assert (row.family in ("attention", "flow")) == (row.asks != "target"), name


@pytest.mark.parametrize("method", [name for name, row in ats.METHODS.items() if row.asks == "target"])
def test_a_method_without_a_query_refuses_one(llama: ats.Model, method: str) -> None:
    with pytest.raises(InputError, match=f"{method}' has no parameter 'query'"):
        ats.explain(llama, TEXT, method=method, query=1)
