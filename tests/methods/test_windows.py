"""Texts longer than the model, in overlapping windows."""

from typing import Any

import numpy as np
import pytest
from tiny_models import classifier, small

import attnscope as ats
from attnscope.errors import InputError
from attnscope.methods.windows import windows_of

TEXT = " ".join("abcdefgh"[i * i % 8] for i in range(40))


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
    for (_, end), (start, _) in zip(windows.spans, windows.spans[1:], strict=False):
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
    whole, windowed = ats.explain(llama, short), ats.explain(llama, short, window=64)
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


def test_a_list_of_texts_and_a_saved_result(llama: ats.Model, tmp_path: Any) -> None:
    short, long = ats.explain(llama, ["a b c", TEXT], window=16)
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
        ats.explain(llama, TEXT, **asked)
