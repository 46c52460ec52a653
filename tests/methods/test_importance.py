"""Every importance method: against slow textbook versions, planted truths, and laws."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import CopyBack, copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from attnscope.errors import InputError
from attnscope.models.gradients import input_gradients
from attnscope.models.inputs.encode import encode
from attnscope.models.model_facts import facts_of
from attnscope.models.perturbation import prefix_reuse, without_tokens
from attnscope.models.targets import readout
from reference import importance as textbook

TEXT = "a b c d e f"
# CopyBack has no attention: its methods (test_at_target.py) and gim (test_gim.py) have tests of their own.
IMPORTANCE = [row.name for row in ats.METHODS.values() if row.asks == "target" and row.name not in ("random", "gim")]
FEW: dict[str, dict[str, Any]] = {"lime": {"samples": 40}, "shapley": {"pairs": 3}}


@pytest.fixture(scope="module")
def llama() -> ats.Model:
    return ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())


def ids(model: ats.Model, text: str) -> list[int]:
    return list(model.tokenizer(text)["input_ids"])


def close(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return bool(np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max() + 1e-7)


def baselines(model: ats.Model) -> dict[str, torch.Tensor]:
    matrix = model.model.get_input_embeddings().weight.detach()
    return {"zero": torch.zeros(matrix.shape[1]), "mean": matrix.mean(0), "pad": matrix[model.tokenizer.pad_token_id]}


def mean_vector(model: ats.Model) -> torch.Tensor:
    return model.model.get_input_embeddings().weight.detach().mean(0)


@pytest.mark.parametrize("method", IMPORTANCE)
def test_planted_truth_the_copied_token_comes_first(method: str) -> None:
    """The model's next token is the one read two places back: of "a b c d e f" that is e."""
    model = ats.Model(CopyBack.make(back=1), copy_tokenizer())
    result = ats.explain(model, TEXT, method=method, target="e", **FEW.get(method, {}))
    assert result.words[int(result.scores.argmax())].text == "e"


@pytest.mark.parametrize("method", [name for name in IMPORTANCE if name not in ("lime", "shapley")])
def test_planted_truth_of_each_generated_token(method: str) -> None:
    model = ats.Model(CopyBack.make(back=1), copy_tokenizer())
    result = ats.explain(model, TEXT, method=method, generate=3, per_token=True)
    assert [t.text for t in result.targets] == ["e", "f", "e"]
    # Each repeats what stood two places before it.
    assert [int(i) for i in result.scores.argmax(1)] == [4, 5, 6]
    assert result == ats.PerToken.from_json(result.to_json())


def test_gradient_x_input_is_the_textbook(llama: ats.Model) -> None:
    prompt, target = ids(llama, TEXT), ids(llama, "g h")
    vectors = textbook.gradient(llama.model, prompt, target)
    here = llama.model.get_input_embeddings()(torch.tensor(prompt)).detach()
    result = ats.explain(llama, TEXT, method="gradient_x_input", target=" g h")
    assert close(result.token_scores, (vectors * here).sum(-1).numpy())
    assert result.signed


def test_a_contrast_is_the_difference_of_its_sides(llama: ats.Model) -> None:
    for other in (" h", " h k"):  # one token: one pass for both; two: a pass each
        both = ats.explain(llama, TEXT, method="gradient_x_input", target=" g", against=other)
        one, two = (ats.explain(llama, TEXT, method="gradient_x_input", target=t) for t in (" g", other))
        assert close(both.scores, one.scores - two.scores)
        assert both.measured.value == pytest.approx(one.measured.value - two.measured.value, rel=1e-4)


def test_per_token_rows_are_the_gradients_of_each_token(llama: ats.Model) -> None:
    result = ats.explain(llama, TEXT, target=" g h k", per_token=True)
    prompt, target = ids(llama, TEXT), ids(llama, "g h k")
    for number, identity in enumerate(target):
        expected = textbook.gradient(llama.model, prompt + target[:number], [identity]).norm(dim=-1).numpy()
        assert close(result.token_scores[number, : len(expected)], expected)
        assert not result.token_scores[number, len(expected) :].any()


def test_integrated_gradients_is_the_textbook(llama: ats.Model) -> None:
    for baseline, vector in baselines(llama).items():
        expected = textbook.integrated(llama.model, ids(llama, TEXT), ids(llama, "g"), 16, vector)
        asked = {"steps": 16, "rule": "riemann", "baseline": baseline}
        result = ats.explain(llama, TEXT, method="integrated_gradients", target=" g", **asked)
        assert close(result.token_scores, expected)


def test_each_baseline_adds_up_and_scores_itself_nothing(llama: ats.Model) -> None:
    for baseline in baselines(llama):
        result = ats.explain(llama, TEXT, method="integrated_gradients", target=" g", baseline=baseline, steps=64)
        change = result.measured.value - result.measured.baseline_value
        missed = abs(result.scores.sum() - change)
        assert missed == pytest.approx(result.measured.completeness_error, abs=1e-5)
        # An RMSNorm jumps at zero, where steps of any number miss it: why zero is not the default.
        assert (missed < 0.02 * abs(change) + 1e-3) == (baseline != "zero")
    # What is the baseline already has no way to go.
    with_pad = ats.explain(llama, "a [PAD] b", method="integrated_gradients", target=" g", baseline="pad", unit="token")
    pad = next(t for t in with_pad.tokens if t.text == "[PAD]")
    assert pad.score == 0
    assert ats.explain(llama, TEXT, method="integrated_gradients", target=" g").asked.options["baseline"] == "mean"


def test_a_mask_baseline_is_the_masks_embedding(quire: ats.Model) -> None:
    """At the baseline every word is masked: its value is that of a text of masks."""
    text = "He have a dog"
    asked = {"target": "$REPLACE_has", "position": "have", "quantity": "logit"}
    result = ats.explain(quire, text, method="integrated_gradients", baseline="mask", **asked)
    masks = torch.tensor([encode(quire.tokenizer, text).inputs["input_ids"]])
    masks[0, [not t.special for t in result.tokens]] = quire.tokenizer.mask_token_id
    with torch.no_grad():
        logits = quire.model(input_ids=masks).logits[0]
    label = quire.model.config.label2id["$REPLACE_has"]
    assert result.measured.baseline_value == pytest.approx(float(logits[2, label]), abs=1e-3)
    with pytest.raises(ats.AttnscopeError, match="no mask token"):
        ats.explain(ats.Model(tiny("llama"), copy_tokenizer()), TEXT, method="integrated_gradients", baseline="mask")


def test_integrated_gradients_meets_its_tolerance(llama: ats.Model) -> None:
    result = ats.explain(
        llama, TEXT, method="integrated_gradients", target=" g", baseline="mean", steps=2, tolerance=0.001
    )
    change = result.measured.value - result.measured.baseline_value
    assert result.measured.steps > 2
    assert result.scores.sum() == pytest.approx(change, rel=0.0011)
    assert result.measured.completeness_error == pytest.approx(abs(result.scores.sum() - change), abs=1e-5)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=8))
def test_law_integrated_gradients_add_up(letters: list[str]) -> None:
    model = ats.Model(tiny("gpt2", sharp=2.0), copy_tokenizer())
    result = ats.explain(model, " ".join(letters), method="integrated_gradients", target="k", baseline="mean", steps=64)
    change = result.measured.value - result.measured.baseline_value
    assert result.scores.sum() == pytest.approx(change, rel=0.02, abs=0.02)


@pytest.mark.parametrize("prefix", ["shared", "shared by one at a time", "not shared"])
def test_deletion_is_one_forward_per_word(llama: ats.Model, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if prefix == "not shared":
        monkeypatch.setattr(without_tokens, "reuses_prefix", lambda *_: False)
    else:
        if prefix != "shared":
            monkeypatch.setattr(prefix_reuse, "CACHE_BYTES", 0)
        ats.explain(llama, TEXT, method="deletion", target=" g")
        assert facts_of(llama.model).reuses_prefix
    prompt, target = ids(llama, TEXT), ids(llama, "g h")
    with torch.no_grad():
        whole = textbook.log_probability(llama.model, prompt, target).item()
        less = [
            textbook.log_probability(llama.model, prompt[:i] + prompt[i + 1 :], target).item()
            for i in range(len(prompt))
        ]
    expected = whole - np.array(less)
    assert close(ats.explain(llama, TEXT, method="deletion", target=" g h", signed=True).scores, expected)
    assert close(ats.explain(llama, TEXT, method="deletion", target=" g h").scores, np.abs(expected))


def test_deletion_of_the_texts_own_loss(llama: ats.Model) -> None:
    prompt = ids(llama, TEXT)

    def loss(some: list[int]) -> float:
        return float(llama.model(input_ids=torch.tensor([some]), labels=torch.tensor([some])).loss)

    with torch.no_grad():
        expected = [abs(loss(prompt[:i] + prompt[i + 1 :]) - loss(prompt)) for i in range(len(prompt))]
    assert close(ats.explain(llama, TEXT, method="deletion").scores, np.array(expected))


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


@pytest.mark.parametrize("window", [1, 2])
def test_occlusion_is_the_textbook(llama: ats.Model, window: int) -> None:
    prompt, target, vector = ids(llama, TEXT), ids(llama, "g"), mean_vector(llama)
    whole = textbook.covered(llama.model, prompt, target, [], vector)
    falls: list[list[float]] = [[] for _ in prompt]
    for start in range(len(prompt) - window + 1):
        inside = list(range(start, start + window))
        fall = whole - textbook.covered(llama.model, prompt, target, inside, vector)
        for i in inside:
            falls[i].append(fall)
    result = ats.explain(llama, TEXT, method="occlusion", target=" g", window=window, replacement="mean")
    assert close(result.scores, np.array([np.mean(fall) for fall in falls]))


def test_shapley_against_every_order(llama: ats.Model) -> None:
    text, vector = "a b c d", mean_vector(llama)
    exact = textbook.shapley(llama.model, ids(llama, text), ids(llama, "g"), vector)
    result = ats.explain(llama, text, method="shapley", target=" g", pairs=200, replacement="mean")
    error = np.array(result.measured.standard_error)
    assert (np.abs(result.scores - exact) < 4 * error + 1e-5).all()
    nothing = textbook.covered(llama.model, ids(llama, text), ids(llama, "g"), [0, 1, 2, 3], vector)
    assert result.scores.sum() == pytest.approx(result.measured.value - nothing, rel=1e-4)


def test_lime_finds_a_linear_model() -> None:
    from attnscope.methods.perturbation.lime import surrogate

    generator = np.random.default_rng(0)
    there = generator.integers(0, 2, (60, 5)).astype(float)
    slopes = np.array([1.0, -2.0, 0.0, 0.5, 3.0])
    weights = generator.random(60) + 0.1
    found, explained = surrogate(there, (there @ slopes + 4)[:, None], weights, 1e-9)
    assert found[:, 0] == pytest.approx(slopes, abs=1e-6)
    assert explained[0] == pytest.approx(1)
    noisy = (there @ slopes + generator.normal(size=60))[:, None]
    found, _ = surrogate(there, noisy, weights, 1e-9)
    design = np.column_stack([there, np.ones(60)]) * np.sqrt(weights)[:, None]
    expected = np.linalg.lstsq(design, noisy * np.sqrt(weights)[:, None], rcond=None)[0]
    assert found == pytest.approx(expected[:5], abs=1e-6)


def test_smooth_grad_without_noise_is_the_gradient(llama: ats.Model) -> None:
    smooth = ats.explain(llama, TEXT, method="smooth_grad", target=" g", noise=0.0, samples=3)
    assert close(smooth.scores, ats.explain(llama, TEXT, target=" g").scores)


def test_smooth_grad_is_the_mean_over_noisy_texts(llama: ats.Model) -> None:
    prompt, target = ids(llama, TEXT), ids(llama, "g")
    here = llama.model.get_input_embeddings()(torch.tensor(prompt)).detach()
    generator = torch.Generator().manual_seed(5)
    noise_samples = (
        torch.randn(4, *here.shape, generator=generator, dtype=torch.float64) * 0.2 * (here.max() - here.min())
    )
    mean = sum(textbook.gradient(llama.model, prompt, target, here + c.float()) for c in noise_samples) / 4
    result = ats.explain(llama, TEXT, method="smooth_grad", target=" g", noise=0.2, samples=4, seed=5)
    assert close(result.token_scores, mean.norm(dim=-1).numpy())


def test_gradient_shap_tends_to_integrated_gradients(llama: ats.Model) -> None:
    exact = ats.explain(llama, TEXT, method="integrated_gradients", target=" g", baseline="mean", steps=128)
    sampled = ats.explain(llama, TEXT, method="gradient_shap", target=" g", baselines="mean", samples=256)
    error = np.array(sampled.measured.standard_error)
    assert (np.abs(sampled.scores - exact.scores) < 4 * error + 1e-5).all()


def test_random_is_seeded_and_independent_of_the_batch(llama: ats.Model) -> None:
    alone = ats.explain(llama, TEXT, method="random", seed=3)
    assert alone == ats.explain(llama, ["b c", TEXT], method="random", seed=3)[1]
    assert (alone.scores != ats.explain(llama, TEXT, method="random", seed=4).scores).all()


@pytest.mark.parametrize("method", [name for name in IMPORTANCE if name != "lime"])
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


@pytest.mark.parametrize("unit", ["token", "sentence"])
def test_units(llama: ats.Model, unit: str) -> None:
    text = "a b . c d"
    summed = ats.explain(llama, text, method="gradient_x_input", target=" g", unit=unit)
    tokens = ats.explain(llama, text, method="gradient_x_input", target=" g").token_scores
    assert [w.text for w in summed.words] == (["a", "b", ".", "c", "d"] if unit == "token" else ["a b .", "c d"])
    assert summed.scores.sum() == pytest.approx(tokens.sum())


def test_segments_are_taken_away_whole(llama: ats.Model) -> None:
    segments = {"front": (0, 3), "back": (6, 11)}
    result = ats.explain(llama, TEXT, method="deletion", target=" g", segments=segments, signed=True)
    prompt, target = ids(llama, TEXT), ids(llama, "g")
    with torch.no_grad():
        whole, front, back = (
            textbook.log_probability(llama.model, some, target).item() for some in (prompt, prompt[2:], prompt[:3])
        )
    assert close(result.scores, np.array([whole - front, whole - back]))
    assert result.asked.segments == {"front": (0, 3), "back": (6, 11)}


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


SENTENCES = "a b . c d e . f"


@pytest.mark.parametrize("within", ["middle", (6, 13)])
@pytest.mark.parametrize("unit", ["word", "token"])
def test_a_segment_is_drilled_into(llama: ats.Model, within: Any, unit: str) -> None:
    asked = {"method": "gradient_x_input", "target": " g"}
    segments = {"front": (0, 5), "middle": (6, 13)}
    whole = ats.explain(llama, SENTENCES, segments=segments, **asked)
    inside = ats.explain(llama, SENTENCES, segments=segments, within=within, unit=unit, **asked)
    assert [w.text for w in inside.words] == ["c", "d", "e", "."]
    assert inside.scores.sum() == pytest.approx(whole.scores[1])
    assert inside.asked.within == (6, 13)


def test_a_sentence_of_a_result_is_drilled_into(llama: ats.Model) -> None:
    """Only the units inside are taken away; together they carry what the sentence carries."""
    sentences = ats.explain(llama, SENTENCES, method="shapley", target=" g", unit="sentence", replacement="mean")
    inside = ats.explain(llama, SENTENCES, method="shapley", target=" g", within=sentences.words[1], replacement="mean")
    alone = ats.explain(llama, SENTENCES, method="occlusion", target=" g", unit="sentence", replacement="mean")
    assert [w.text for w in inside.words] == ["c", "d", "e", "."]
    assert inside.scores.sum() == pytest.approx(alone.scores[1], rel=1e-3, abs=1e-5)
    words = ats.explain(llama, SENTENCES, method="deletion", target=" g")
    inside = ats.explain(llama, SENTENCES, method="deletion", target=" g", within=sentences.words[1])
    assert close(inside.scores, words.scores[3:7])


@pytest.mark.parametrize("method", IMPORTANCE)
def test_every_method_drills(llama: ats.Model, method: str) -> None:
    result = ats.explain(
        llama, SENTENCES, method=method, target=" g h", per_token=True, within=(6, 11), **FEW.get(method, {})
    )
    assert [w.text for w in result.first.words] == ["c", "d", "e"]


def test_sentences_of_a_paragraph(llama: ats.Model) -> None:
    text = "a b . c d .\n\ne f . g"
    result = ats.explain(llama, text, method="deletion", target=" h", unit="sentence", within="paragraph 2")
    assert [w.text for w in result.words] == ["e f .", "g"]


@pytest.mark.parametrize(
    ("within", "says"),
    [
        ("paragraph 9", "the text's segments are 'paragraph 1'"),
        ((3, 99), "the segment 'within'"),
        ((1, 2), "no unit begins"),
        (ats.Word("x", 0, 1, 0.0), "of another text"),
    ],
)
def test_what_cannot_be_drilled_into_says_so(llama: ats.Model, within: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        ats.explain(llama, SENTENCES, target=" g", within=within)
