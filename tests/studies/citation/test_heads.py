"""Shares of attention against the model's own matrices; weights that are learnt, saved and used."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from snapshot import forget_all
from tiny_models import small

import attnscope as ats
from attnscope.errors import InputError, ModelError
from attnscope.results.citation.head_weights import HeadWeights
from attnscope.studies.citation.heads import learnt

PASSAGES = ["a b c d", "e f g", "h i j k l"]
SPANS = [slice(0, 4), slice(4, 7), slice(7, 12)]
PROMPT = "a b c d\n\ne f g\n\nh i j k l\n\nQuestion: x\nAnswer:"


def test_equal_weights_are_the_mean_of_the_models_own_attention() -> None:
    model = small("gpt2")
    found = ats.cite(model, "x", PASSAGES, "m n\no", method="heads", exact=0)
    ids = [model.tokenizer(text)["input_ids"] for text in (PROMPT, "m n o")]
    model.model.set_attn_implementation("eager")
    with torch.no_grad():
        every = torch.stack(model.model(torch.tensor([ids[0] + ids[1]]), output_attentions=True).attentions)[:, 0]
    forget_all()
    first = len(ids[0]) - 1
    for k, rows in enumerate(([first, first + 1], [first + 2])):
        by_hand = [float(every[:, :, rows, span].sum(-1).mean()) for span in SPANS]
        np.testing.assert_allclose(found.scores[k], by_hand, atol=1e-5)
    assert found.passes == 3, "with all sources, with none, and one for attention"


def test_weights_say_which_head_matters() -> None:
    generator = np.random.default_rng(0)
    truth = np.array([0.0, 2.0, 0.0, -1.0])
    examples = []
    for _ in range(30):
        shares = generator.random((4, 2, 5))
        examples.append((shares, np.tensordot(truth, shares, 1) + 3 + 0.01 * generator.normal(size=(2, 5))))
    found = learnt(small("gpt2"), examples, [(0, 4)])
    np.testing.assert_allclose(found.weights, truth, atol=0.02)
    assert found.r_squared > 0.99
    noise = learnt(small("gpt2"), [(s, generator.normal(size=e.shape)) for s, e in examples], [(0, 4)])
    assert noise.r_squared < 0.1


@pytest.mark.parametrize(("questions", "statements", "sources"), [(12, 1, 8), (24, 2, 3)])
def test_noise_is_not_predicted_where_heads_are_many(questions: int, statements: int, sources: int) -> None:
    generator = np.random.default_rng(0)
    size = (statements, sources)
    examples = [(generator.normal(size=(270, *size)), generator.normal(size=size)) for _ in range(questions)]
    assert learnt(small("gpt2"), examples, [(0, 270)]).r_squared < 0.1


def test_what_is_predicted_is_of_whole_questions_left_out() -> None:
    generator = np.random.default_rng(1)
    truth, examples = generator.normal(size=6), []
    for _ in range(7):
        shares = generator.random((6, 2, 4))
        effects = np.tensordot(truth, shares, 1) + generator.normal(size=(2, 4))
        examples.append((shares, effects))
    centred = [
        ((s - s.mean(2, keepdims=True)).reshape(6, -1).T, (e - e.mean(1, keepdims=True)).ravel()) for s, e in examples
    ]
    sizes = np.linalg.svd(np.concatenate([x for x, _ in centred]), compute_uv=False)
    errors = []
    for penalty in np.logspace(-3, 3, 13) * (sizes**2).mean():
        error = 0.0
        for out, (x, y) in enumerate(centred):
            rest = [one for i, one in enumerate(centred) if i != out]
            a, b = np.concatenate([x for x, _ in rest]), np.concatenate([y for _, y in rest])
            error += ((y - x @ np.linalg.solve(a.T @ a + penalty * np.eye(6), a.T @ b)) ** 2).sum()
        errors.append(error)
    by_hand = 1 - min(errors) / sum((y**2).sum() for _, y in centred)
    assert learnt(small("gpt2"), examples, [(0, 6)]).r_squared == pytest.approx(by_hand, abs=1e-9)


def test_one_question_predicts_no_other() -> None:
    generator = np.random.default_rng(0)
    one = [(generator.random((4, 1, 5)), generator.random((1, 5)))]
    assert learnt(small("gpt2"), one, [(0, 4)]).r_squared == pytest.approx(0, abs=1e-6)


def test_learnt_weights_are_saved_and_used(tmp_path: Path) -> None:
    model = small("gpt2")
    questions = [{"question": "x", "passages": PASSAGES, "answer": a} for a in ("m n", "o", "a b", "h i")]
    weights = ats.learn_heads(model, questions)
    assert weights.layers == ((0, 4), (1, 4), (2, 4))
    assert weights.learnt_from == 4
    weights.save(tmp_path / "heads.json")
    one, other = (
        ats.cite(model, "x", PASSAGES, "m", method="heads", weights=w, exact=0)
        for w in (weights, tmp_path / "heads.json")
    )
    assert one.scores.tolist() == other.scores.tolist()
    assert one.unit == "nats"
    other_model = HeadWeights("x", ((0, 1),), (1.0,), 1, 0.0)
    with pytest.raises(ModelError, match="of a model with other heads"):
        ats.cite(model, "x", PASSAGES, "m", method="heads", weights=other_model)
    other_kind = replace(weights, provenance={"class": "LlamaForCausalLM"})
    with pytest.raises(ModelError, match=r"of another kind of model .*LlamaForCausalLM; this is a GPT2LMHeadModel"):
        ats.cite(model, "x", PASSAGES, "m", method="heads", weights=other_kind)
    with pytest.warns(ats.AdviceWarning, match="learnt on elsewhere, and this model is"):
        found = ats.cite(
            model, "x", PASSAGES, "m", method="heads", weights=replace(weights, model="elsewhere"), exact=0
        )
    assert found.options["weights"] == "learnt from 4 questions on elsewhere"
    assert one.options["weights"] == "learnt from 4 questions"
    with pytest.raises(InputError, match="two sources or more"):
        ats.learn_heads(model, [{"question": "x", "passages": ["a"], "answer": "b"}])
