"""What the tasks of one call share: one pass for many texts, a window of them at a time, each given away once."""

import pytest
import torch
from captured import passes_counted, tasks_of

import attnscope as ats
from attnscope.methods import shared
from attnscope.methods.shared import query_weights

TEXTS = ["a b c d", "h g", "c c b a", "e f g"]


@pytest.mark.parametrize(
    ("method", "asked", "passes"),
    [
        ("gradient", {"target": " k"}, 1),
        ("gradient_x_input", {"target": " k"}, 1),
        ("gim", {"target": " k"}, 1),
        ("attention", {"query": -1}, 1),
        ("attention", {"layer": "mean", "query": [0, 1]}, 1),
        ("rollout", {"query": -1}, 1),
        # A pass for each text, in which each value of it is set to zero.
        ("value_norm", {"query": -1}, len(TEXTS)),
    ],
)
def test_many_texts_share_a_pass(llama: ats.Model, method: str, asked: dict[str, object], passes: int) -> None:
    alone = 0
    # A model is tried out once, before the first answer: on one text, and on texts of different lengths.
    ats.explain(llama, TEXTS, method=method, **asked)
    for text in TEXTS:
        with passes_counted(llama.model) as counted:
            ats.explain(llama, text, method=method, **asked)
        alone += len(counted)
    with passes_counted(llama.model) as counted:
        ats.explain(llama, TEXTS, method=method, **asked)
    assert (len(counted), alone) == (passes, len(TEXTS))
    assert sum(batch for batch, _ in counted) == len(TEXTS)


def test_a_window_bounds_what_is_held_and_each_is_given_away_once(
    llama: ats.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    ats.explain(llama, TEXTS, "gradient", target=" k")  # the model is tried out
    monkeypatch.setattr(shared, "HELD_TOKENS", 8)
    tasks = tasks_of(llama, TEXTS, target=" k")
    gradients = tasks[0].shared_gradients
    assert gradients is not None
    assert all(task.shared_gradients is gradients for task in tasks)
    held = []
    with passes_counted(llama.model) as counted:
        for task in tasks:
            task.gradient()
            held.append(sorted(gradients.ready))
    # 4 + 2 tokens, and 4 + 3: neither window takes a third text.
    assert held == [[1], [], [3], []]
    assert [batch for batch, _ in counted] == [2, 2]
    monkeypatch.setattr(shared, "HELD_TOKENS", 1)
    with passes_counted(llama.model) as counted:
        for task in tasks:
            task.gradient()
            assert not gradients.ready
    # A text that is too large for any window is one by itself.
    assert [batch for batch, _ in counted] == [1, 1, 1, 1]


def test_a_window_changes_no_number(llama: ats.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [task.gradient() for task in tasks_of(llama, TEXTS, target=" k g", against=" h")]
    monkeypatch.setattr(shared, "HELD_TOKENS", 6)
    for windowed, (values, vectors) in zip(tasks_of(llama, TEXTS, target=" k g", against=" h"), whole, strict=True):
        again = windowed.gradient()
        torch.testing.assert_close(again[0], values, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(again[1], vectors, rtol=1e-3, atol=1e-5)


def test_a_method_may_ask_twice(llama: ats.Model) -> None:
    alone = [tasks_of(llama, text, target=" k")[0].gradient()[1] for text in TEXTS]
    for task, vectors in zip(tasks_of(llama, TEXTS, target=" k"), alone, strict=True):
        for _ in range(2):
            torch.testing.assert_close(task.gradient()[1], vectors, rtol=1e-3, atol=1e-5)


def test_the_same_layers_are_run_once_and_others_again(llama: ats.Model) -> None:
    tasks = tasks_of(llama, TEXTS, "query", query=-1)
    with passes_counted(llama.model) as counted:
        for task in tasks:
            task.attention_rows([0, 1])
            task.attention_rows([0, 1])
    assert len(counted) == 1
    with passes_counted(llama.model) as counted:
        for task in tasks:
            task.attention_rows([2])
            task.reduced_attention([0, 1], "mean")
            task.reduced_attention([0, 1], "max")
    assert len(counted) == 3


def test_a_query_of_several_tokens_is_the_mean_of_their_rows() -> None:
    weights = query_weights([[(0,), (1, 2)], [(3,), (0, 1, 2, 3)]], 4)
    assert weights.tolist() == [[[1, 0, 0, 0], [0, 0.5, 0.5, 0]], [[0, 0, 0, 1], [0.25] * 4]]
