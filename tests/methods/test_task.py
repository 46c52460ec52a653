"""What a method may ask of its task: each answer against the model itself, alone and in a batch."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from captured import tasks_of
from comparisons import close, eager, ids, mean_vector, model_inputs
from snapshot import watch
from tiny_models import small

import attnscope as ats
from attnscope.errors import InputError, NonFiniteError, RangeError
from attnscope.methods import task as task_module
from reference import importance as textbook

TEXT = "a b c d e f"
# The first is the shortest, so that it is padded in a batch with the others.
TEXTS = ["h g", TEXT, "c c b a"]


def with_mask() -> ats.Model:
    model = small("bert")
    model.tokenizer.add_special_tokens({"mask_token": "[MASK]"})
    watch(model.tokenizer)
    return model


def test_scores_without_scores_are_refused() -> None:
    with pytest.raises(InputError, match="give tokens, units, or both"):
        ats.Scores(values=[1.0])


@pytest.mark.parametrize("together", [True, False])
def test_the_gradient_is_autograds(llama: ats.Model, together: bool) -> None:
    tasks = tasks_of(llama, TEXTS, target=" g") if together else [tasks_of(llama, t, target=" g")[0] for t in TEXTS]
    for text, task in zip(TEXTS, tasks, strict=True):
        values, vectors = task.gradient()
        expected = textbook.gradient(llama.model, ids(llama, text), ids(llama, "g"))
        assert vectors.shape == (1, len(text.split()), 32)
        assert vectors.dtype == torch.float64
        assert close(vectors[0].numpy(), expected.numpy())
        assert values.numpy() == pytest.approx(task.values(), rel=1e-5)


def test_each_token_of_a_target_has_a_gradient_and_a_value(llama: ats.Model) -> None:
    (task,) = tasks_of(llama, TEXT, target=" g h", per_token=True)
    prompt = ids(llama, TEXT)
    values, vectors = task.gradient()
    assert task.per_token
    assert vectors.shape[:2] == (2, 8)
    for row, (read, token) in enumerate([(prompt, "g"), ([*prompt, *ids(llama, "g")], "h")]):
        with torch.no_grad():
            expected = textbook.log_probability(llama.model, read, ids(llama, token))
        assert [float(values[row]), task.values()[row]] == pytest.approx([float(expected)] * 2, rel=1e-5)
        by_hand = textbook.gradient(llama.model, read, ids(llama, token))
        assert close(vectors[row, : len(read)].numpy(), by_hand.numpy())


def test_the_passes_of_a_gradient_run_under_the_rules_that_it_is_given(llama: ats.Model) -> None:
    events = []

    @contextmanager
    def rules() -> Iterator[None]:
        events.append("rules on")
        yield
        events.append("rules off")

    tasks = tasks_of(llama, TEXTS, target=" g")
    handle = llama.model.model.layers[0].register_forward_pre_hook(lambda *_: events.append("pass"))
    for task in tasks_of(llama, TEXTS, target=" g"):
        task.gradient()  # what is tried once a model is tried: with this hook it is another model
    events.clear()
    for task in tasks:
        task.gradient(rules)
    handle.remove()
    assert events == ["rules on", "pass", "rules off"]


def test_embeddings_baselines_and_paths(llama: ats.Model) -> None:
    (task,) = tasks_of(llama, TEXT, target=" g", against=" h k")
    matrix = llama.model.get_input_embeddings().weight.detach()
    torch.testing.assert_close(task.embeddings(), matrix[ids(llama, TEXT)].double())
    torch.testing.assert_close(task.baseline("mean"), mean_vector(llama).double())
    assert not task.baseline("zero").any()
    # Two continuations, which the model reads in two passes: their values add up to the target's.
    paths = task.paths(task.baseline("mean"))
    assert len(paths) == len(task.target.readouts) == 2
    ends = sum(path.values([1.0]) for path in paths)
    assert ends[0].numpy() == pytest.approx(task.values(), rel=1e-5)
    torch.testing.assert_close(paths[0].difference, task.embeddings() - task.baseline("mean"))


def test_values_without_words_and_each_set_runs_once(llama: ats.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    (task,) = tasks_of(llama, TEXT, target=" g", segments={"front": (0, 3), "back": (8, 11)})
    asked: list[list[frozenset[int]]] = []
    real = task_module.values_without_tokens

    def counting(model: ats.Model, objective: object, removed: list[frozenset[int]], replacement: str) -> torch.Tensor:
        asked.append(removed)
        return real(model, objective, removed, replacement)

    monkeypatch.setattr(task_module, "values_without_tokens", counting)
    found = task.values_without([frozenset(), frozenset([1]), frozenset([0, 1]), frozenset([1])], "delete")
    assert asked == [[frozenset(), frozenset([4, 5]), frozenset([0, 1, 4, 5])]]
    prompt, target = ids(llama, TEXT), ids(llama, "g")
    with torch.no_grad():
        whole, back, both = (
            float(textbook.log_probability(llama.model, some, target)) for some in (prompt, prompt[:4], prompt[2:4])
        )
    assert found[:, 0] == pytest.approx([whole, back, both, back], rel=1e-4)
    (covered,) = task.values_without([frozenset([1])], "mean")
    by_hand = textbook.covered(llama.model, prompt, target, [4, 5], mean_vector(llama))
    assert covered == pytest.approx(by_hand, rel=1e-4)


def test_what_the_target_stands_on_cannot_be_removed(quire: ats.Model) -> None:
    model = with_mask()
    (task,) = tasks_of(model, "a b [MASK] d e", target="c", unit="token")
    masked = [i for i, span in enumerate(task.units.spans) if 2 in span.tokens]
    assert task.target.fixed == (2,)
    assert task.removable == [i for i in range(len(task.units)) if i not in masked]
    assert len(task.removable) == 4
    (sentence,) = tasks_of(quire, "He have a dog", position="have", unit="sentence")
    (words,) = tasks_of(quire, "He have a dog", position="have")
    assert words.removable == [0, 2, 3]
    with pytest.raises(InputError, match="stands on every unit"):
        _ = sentence.removable


def test_the_replacement_is_the_models_own_unless_one_is_asked_for(llama: ats.Model) -> None:
    (without_mask,) = tasks_of(llama, TEXT, target=" g")
    (masked,) = tasks_of(with_mask(), "a [MASK] c", target="b")
    assert (without_mask.replacement(None), masked.replacement(None)) == ("mean", "mask")
    assert (without_mask.replacement("pad"), masked.replacement("zero")) == ("pad", "zero")


@pytest.mark.parametrize("together", [True, False])
def test_attention_rows_are_eager_rows_of_the_text_alone(llama: ats.Model, together: bool) -> None:
    asked = {"asks": "query", "query": [-1, 0, None]}
    tasks = tasks_of(llama, TEXTS, **asked) if together else [tasks_of(llama, t, **asked)[0] for t in TEXTS]
    if together:
        assert len(tasks[0].attention.batch.members) == 3
    for task in tasks:
        full = eager(llama, task.encoded.text)
        count = len(task.encoded.tokens)
        rows = task.attention_rows([2, 0])
        assert [tuple(row.shape) for row in rows] == [(3, 4, count)] * 2
        for layer, row in zip((2, 0), rows, strict=True):
            expected = torch.stack([full[layer][:, -1], full[layer][:, 0], full[layer].mean(1)])
            torch.testing.assert_close(row, expected, atol=1e-5, rtol=0)
        assert task.query_weights().sum(-1).tolist() == pytest.approx([1, 1, 1])
        assert task.query_weights().shape == (3, count)


@pytest.mark.parametrize("over", ["mean", "max", "min"])
def test_reduced_attention_is_the_matrix_over_heads_without_padding(llama: ats.Model, over: str) -> None:
    for task in tasks_of(llama, TEXTS, "query", query=-1):
        full = eager(llama, task.encoded.text)
        layers = task.reduced_attention([0, 2], over)
        for layer, reduced in zip((0, 2), layers, strict=True):
            whole = {"mean": full[layer].mean(0), "max": full[layer].amax(0), "min": full[layer].amin(0)}[over]
            torch.testing.assert_close(reduced.full()[0], whole, atol=1e-5, rtol=0)


def test_a_text_runs_alone_without_its_neighbours_padding(llama: ats.Model) -> None:
    for task in tasks_of(llama, TEXTS, "query", query=-1):
        expected = model_inputs(llama, task.encoded.text)
        assert task.inputs.keys() == task.attention.batch.inputs.keys() == expected.keys()
        assert all((task.inputs[name] == tensor).all() for name, tensor in expected.items())
        seen: list[tuple[int, int, int]] = []
        task.capture([1, 0], lambda layer, call, seen=seen: seen.append((layer, call.batch, call.keys)))
        assert seen == [(0, 1, len(task.encoded.tokens)), (1, 1, len(task.encoded.tokens))]


def test_layers_heads_and_the_projection(llama: ats.Model) -> None:
    (task,) = tasks_of(llama, TEXT, "query", query=-1)
    assert task.stack == "self"
    assert task.heads == {0: 4, 1: 4, 2: 4}
    assert (task.layer(-1), task.head(-4, 0)) == (2, 0)
    with pytest.raises(RangeError, match="layer 3 is out of range: the model has the layers 0 to 2"):
        task.layer(3)
    with pytest.raises(RangeError, match="heads 0 to 3"):
        task.head(4, 1)
    weight = llama.model.model.layers[1].self_attn.o_proj.weight.detach()  # (hidden, head · head hidden)
    torch.testing.assert_close(task.projection(1), weight.T.reshape(4, 8, 32))


def test_the_stack_of_an_encoder_decoder() -> None:
    model = small("bart")
    (cross,) = tasks_of(model, TEXT, "query", query=[0, 1], stack="cross", target="g h")
    assert cross.stack == "cross"
    assert cross.encoded.text == TEXT
    # The decoder's tokens query the text's.
    assert cross.attention_rows([0])[0].shape == (2, 4, len(cross.encoded.tokens))
    assert cross.inputs["decoder_input_ids"].shape == (1, 3)


def test_what_the_task_does_not_have_says_so(llama: ats.Model) -> None:
    (looking,) = tasks_of(llama, TEXT, "query", query=-1)
    (explaining,) = tasks_of(llama, TEXT)
    with pytest.raises(InputError, match="explains a target, and none was asked for"):
        looking.values()
    with pytest.raises(InputError, match="the task has no query"):
        explaining.attention_rows([0])
    assert not looking.per_token
    assert np.isfinite(explaining.values()).all()


@pytest.mark.parametrize("method", ["gradient", "gradient_x_input", "gim", "mask_gradient", "deletion", "occlusion"])
@pytest.mark.parametrize("more", [{}, {"quantity": "logit"}, {"per_token": True}])
def test_a_target_that_the_model_rules_out_is_refused(llama: ats.Model, method: str, more: dict[str, object]) -> None:
    token = llama.tokenizer(" h")["input_ids"][-1]

    def ruled_out(_module: object, _given: object, out: torch.Tensor) -> torch.Tensor:
        return out.index_fill(-1, torch.tensor([token]), -torch.inf)

    hook = llama.model.lm_head.register_forward_hook(ruled_out)
    try:
        with pytest.raises(NonFiniteError, match="rules a token of it out"):
            ats.explain(llama, TEXT, method, target=" h", **more)
        shown = ats.attention(llama, TEXT)
        assert np.isfinite(shown.scores).all()
        seen = ats.explain(llama, TEXT, "attention", target=" h")
        assert seen.measured.value == -np.inf
        assert not ats.explain(llama, TEXT, method, target=" h", quantity="probability").scores.any()
    finally:
        hook.remove()
