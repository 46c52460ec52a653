"""One pass gives the scores that `explain` gives in two."""

import pytest
from numpy.testing import assert_allclose
from tiny_models import small

import attnscope as ats
from attnscope.errors import InputError
from attnscope.methods.live.next_word import in_one_pass, likeliest, next_word, written_text
from attnscope.models.inputs.batching import encoded_texts

TEXTS = ("The capital of Japan is", "日本の首都は東京です。フランスの首都は")


@pytest.mark.parametrize(("text", "method"), [(TEXTS[0], "gradient_x_input"), (TEXTS[1], "gradient")])
def test_it_is_what_explain_gives(smollm2: ats.Model, text: str, method: str) -> None:
    found = next_word(smollm2, text, ats.METHODS[method])
    if found.tokens[0].whole:
        expected = ats.explain(smollm2, text, method, generate=1)
        assert found.result.asked == expected.asked
        assert_allclose(found.result.scores, expected.scores, rtol=1e-4, atol=1e-6)
        assert found.result.measured.value == pytest.approx(expected.measured.value, rel=1e-4)
    else:
        part = ats.explain(smollm2, text, method, target=found.explained.text)
        assert found.result.asked.target == part.asked.target
        assert_allclose(found.result.scores, part.scores, rtol=1e-4, atol=1e-6)
    assert [token.id for token in likeliest(smollm2, text)] == [token.id for token in found.tokens]
    assert found.explained == next(token for token in found.tokens if token.whole)


def test_it_goes_on_from_what_is_written(smollm2: ats.Model) -> None:
    (encoded,) = encoded_texts(smollm2, TEXTS[0])
    first = next_word(smollm2, encoded, ats.METHODS["gradient"])
    ids = [first.tokens[0].id]
    assert written_text(smollm2, encoded, ids) == " Tokyo"
    second = next_word(smollm2, encoded, ats.METHODS["gradient"], written=ids)
    both = ats.explain(smollm2, TEXTS[0], "gradient", generate=2, per_token=True)
    assert_allclose(second.result.scores, both.scores[1][: len(second.result.scores)], rtol=1e-3, atol=1e-5)


def test_other_methods_and_models_are_refused() -> None:
    assert not in_one_pass(small("bert"), ats.METHODS["gradient"])
    assert likeliest(small("bert"), "a b c") == ()
    with pytest.raises(InputError, match="generate=1"):
        next_word(small("llama"), "a b c", ats.METHODS["deletion"])
