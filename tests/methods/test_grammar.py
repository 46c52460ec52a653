"""Real weights with a known answer: which words make a sentence ungrammatical for a classifier of grammar errors."""

import pytest

import attnscope as ats

# The sentence, the correction that the model asks for, and the words that call for it: subject and verb.
SENTENCES = [
    ("He have a dog", "$REPLACE_has", {"He", "have"}),
    ("She have many friends", "$REPLACE_has", {"She", "have"}),
    ("It have four legs", "$REPLACE_has", {"It", "have"}),
    ("I has two cats", "$REPLACE_have", {"I", "has"}),
    ("They has a big house", "$REPLACE_have", {"They", "has"}),
    ("You has my book", "$REPLACE_have", {"You", "has"}),
    ("They was happy yesterday", "$REPLACE_were", {"They", "was"}),
    ("They was at home", "$REPLACE_were", {"They", "was"}),
    ("You was late again", "$REPLACE_were", {"You", "was"}),
    ("We was in London", "$REPLACE_were", {"We", "was"}),
    ("We is late for the train", "$REPLACE_are", {"We", "is"}),
    ("They is here now", "$REPLACE_are", {"They", "is"}),
]


def strongest(result: ats.Attribution, count: int) -> list[str]:
    return [w.text for w in sorted(result.words, key=lambda w: -w.score)[:count]]


@pytest.mark.parametrize(("text", "label", "cues"), SENTENCES, ids=[text for text, *_ in SENTENCES])
@pytest.mark.parametrize("method", ["deletion", "integrated_gradients"])
def test_the_cue_words_come_first(quire: ats.Model, method: str, text: str, label: str, cues: set[str]) -> None:
    own = {"signed": True} if method == "deletion" else {"baseline": "mask"}
    result = ats.explain(quire, text, method=method, target=label, quantity="logit", **own)
    assert set(strongest(result, 2)) == cues


@pytest.mark.parametrize(("text", "label", "cues"), SENTENCES, ids=[text for text, *_ in SENTENCES])
def test_gim_puts_a_cue_word_first(quire: ats.Model, text: str, label: str, cues: set[str]) -> None:
    """Gradient × input does so in half of the sentences."""
    result = ats.explain(quire, text, method="gim", target=label, quantity="logit")
    assert strongest(result, 1)[0] in cues
