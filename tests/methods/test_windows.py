"""Texts longer than the model, in overlapping windows."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import transformers as hf
from tiny_models import FAMILIES, classifier, small
from tokenizers_zoo import byte_bpe

import attnscope as ats
from attnscope.errors import InputError
from attnscope.methods.windows import windows_of

# No two windows of it are alike.
TEXT = " ".join("abcdefgh"[i**3 % 41 % 8] for i in range(40))


@pytest.mark.parametrize("window", [8, 11, 16, 39])
def test_windows_cover_the_text_overlap_and_cut_no_word(llama: ats.Model, window: int) -> None:
    text = "the castle (on the hill), it was a very old one. " * 4
    model = small("llama")
    windows = windows_of(model, text, window)
    starts = {word.start for word in windows.encoded.words}
    ends = {word.end for word in windows.encoded.words}
    assert windows.spans[0][0] == 0
    assert windows.spans[-1][1] == len(text)
    for start, end in windows.spans:
        assert len(model.tokenizer(text[start:end])["input_ids"]) <= window
        assert start == 0 or any(start <= word <= start + 1 for word in starts)
        assert end == len(text) or end in ends
    for (_, end), (start, _) in pairwise(windows.spans):
        assert start < end


@pytest.mark.parametrize(
    ("method", "asked"),
    [("gradient", {}), ("rollout", {}), ("attention", {"layer": 0, "head": "mean"}), ("deletion", {"unit": "token"})],
)
def test_a_score_is_the_mean_of_its_windows(llama: ats.Model, method: str, asked: dict[str, Any]) -> None:
    found = ats.explain(llama, TEXT, method, window=16, **asked)
    total, read = np.zeros(len(TEXT)), np.zeros(len(TEXT))
    for start, end in found.measured.windows:
        alone = ats.explain(llama, TEXT[start:end], method, **asked)
        for word in alone.words:
            total[start + word.start] += word.score
            read[start + word.start] += 1
    expected = [total[word.start] / read[word.start] for word in found.words]
    np.testing.assert_allclose(found.scores, expected, rtol=1e-4, atol=1e-7)
    assert {1, 2} <= set(read.astype(int))
    assert found.asked.window == 16
    assert found.text == TEXT
    assert len(found.tokens) == len(llama.tokenizer(TEXT)["input_ids"])
    np.testing.assert_allclose(found.token_scores.sum(), found.scores.sum())


def test_a_text_that_fits_is_read_as_it_is(llama: ats.Model) -> None:
    short = "a b c d e f"
    whole, windowed = ats.explain(llama, short), ats.explain(llama, short, "gradient", window=64)
    np.testing.assert_allclose(windowed.scores, whole.scores)
    assert windowed.measured.value == whole.measured.value
    assert windowed.measured.windows == ((0, len(short)),)


def test_each_window_has_its_own_probability_of_a_label() -> None:
    model = classifier("Sequence")
    found = ats.explain(model, TEXT, "gradient_x_input", target="POSITIVE", window=16)
    values = [
        ats.explain(model, TEXT[a:b], "gradient_x_input", target="POSITIVE").measured.value
        for a, b in found.measured.windows
    ]
    assert len(values) > 2
    assert found.measured.value == pytest.approx(np.mean([value for value in values if value is not None]))


def test_all_windows_explain_the_label_that_they_predict_together() -> None:
    model = classifier("Sequence")
    text = "a " * 24 + "e f " * 18
    labels = [str(label) for label in model.model.config.id2label.values()]
    short, found = ats.explain(model, ["e f e f", text], "gradient_x_input", window=16)
    spans = found.measured.windows
    alone = [ats.explain(model, text[a:b], "gradient_x_input") for a, b in spans]
    assert len({result.measured.answer for result in alone}) > 1, "some windows predict another label by themselves"
    means = {
        label: np.mean(
            [ats.explain(model, text[a:b], "gradient", target=label).measured.value or 0.0 for a, b in spans]
        )
        for label in labels
    }
    label = max(means, key=lambda name: means[name])
    assert found.measured.answer == (label,)
    assert found.measured.value == pytest.approx(means[label], abs=1e-5)
    of_label = ats.explain(model, text, "gradient_x_input", target=label, window=16)
    np.testing.assert_allclose(found.scores, of_label.scores, rtol=1e-4, atol=1e-6)
    assert short.asked.target == ats.explain(model, "e f e f", "gradient_x_input").asked.target


def test_what_says_how_good_the_scores_are_is_that_of_the_worst_window(llama: ats.Model) -> None:
    text = "a a a a a a a a a a a a " + TEXT
    for method, asked in (("lime", {"samples": 16}), ("integrated_gradients", {"steps": 2}), ("shapley", {"pairs": 8})):
        found = ats.explain(llama, text, method, window=16, **asked).measured
        alone = [ats.explain(llama, text[a:b], method, **asked).measured for a, b in found.windows]
        if found.r_squared is not None:
            assert found.r_squared == pytest.approx(min(one.r_squared or 0.0 for one in alone), abs=1e-5)
        if found.completeness_error is not None:
            errors = [abs(one.completeness_error or 0.0) for one in alone]
            assert abs(found.completeness_error) == pytest.approx(max(errors), abs=1e-4)
        if found.baseline_value is not None:
            baselines = [one.baseline_value or 0.0 for one in alone]
            assert found.baseline_value == pytest.approx(np.mean(baselines), abs=1e-4)
        if found.standard_error is not None:
            # The first word is in the first window alone; the last in the last.
            firsts, lasts = alone[0].standard_error or (), alone[-1].standard_error or ()
            assert found.standard_error[0] == pytest.approx(firsts[0], rel=1e-3)
            assert found.standard_error[-1] == pytest.approx(lasts[-1], rel=1e-3)


def test_a_word_longer_than_a_window_is_read_too() -> None:
    """A protein is one word."""
    tokenizer = byte_bpe()
    net = hf.BertForMaskedLM(hf.BertConfig(**{**FAMILIES["bert"][2], "vocab_size": len(tokenizer)})).eval()
    model = ats.Model(net, tokenizer)
    protein = "MKTAYIAKQRQISFVKSHFSRQ" * 6
    text = f"see {protein} here"
    assert model.positions is not None
    assert model.positions < len(protein)
    for unit in ("token", "word", "character"):
        found = ats.explain(model, text, "gradient", window=32, unit=unit)
        spans = found.measured.windows
        assert (spans[0][0], spans[-1][1]) == (0, len(text))
        assert all(len(model.tokenizer(text[a:b])["input_ids"]) <= 32 for a, b in spans)
        assert all(c < b for (_, b), (c, _) in pairwise(spans))
        assert all(word.score > 0 for word in found.words)
    assert [word.text for word in found.words][:5] == [*"see M"]


def test_a_list_of_texts_and_a_saved_result(llama: ats.Model, tmp_path: Any) -> None:
    short, long = ats.explain(llama, ["a b c", TEXT], "gradient", window=16)
    assert (len(short.measured.windows), len(long.measured.windows)) == (1, 4)
    long.save(tmp_path / "long.json")
    assert ats.load_result(tmp_path / "long.json") == long


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            {"window": 4},
            "window=4: give the number of tokens to read at a time, 8 or more and no more than the model's",
        ),
        ({"window": 10**6}, "window=1000000: give the number"),
        ({"window": True}, "window=True"),
        ({"window": 16, "target": " g"}, "a target that follows the text, which belongs to the whole text"),
        ({"window": 16, "generate": 2}, "window was given with generate"),
        ({"window": 16, "within": (0, 4)}, "window was given with within"),
        ({"window": 16, "method": "rollout", "query": "a"}, "window was given with a query"),
    ],
)
def test_what_cannot_be_asked_of_every_window(llama: ats.Model, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        ats.explain(llama, TEXT, **{"method": "gradient", **asked})
