"""Questions with made-up facts, of which one passage alone has the answer: the truth is known."""

from typing import Any

import numpy as np

_PEOPLE = (
    "Aldo Brenn", "Mira Castel", "Jonas Veld", "Sena Okoro", "Lena Marsh", "Tomas Ruud", "Ines Falk", "Karl Dorn",
    "Yuki Hara", "Nadia Quist", "Owen Pell", "Clara Bight", "Rui Matos", "Edda Storm", "Felix Arn", "Greta Holm",
)  # fmt: skip
_TOWNS = (
    "Arvika", "Belmora", "Castrin", "Dunfell", "Eskola", "Farrow", "Glimsand", "Hestvik", "Ilmen", "Jorvik", "Kelso",
    "Lunden", "Marrow", "Norden", "Ostrava", "Pelham",
)  # fmt: skip
_TRADES = ("baker", "painter", "doctor", "sailor", "teacher", "farmer", "printer", "weaver", "miller", "joiner")
_PETS = ("parrot", "tortoise", "goat", "donkey", "ferret", "owl", "rabbit", "pony")
# What a passage says of a person, and the question and answer about it.
_FACTS = (
    ("{who} was born in {town}.", "Where was {who} born?", "{town}"),
    ("{who} works as a {trade}.", "What does {who} work as?", "{trade}"),
    ("{who} keeps a {pet} in the garden.", "What animal does {who} keep?", "{pet}"),
)
_FILLER = (
    "The letters of {who} were never found.", "In spring {who} walks by the river every day.",
    "{who} seldom speaks about it.", "Two neighbours of {who} still remember that summer.",
)  # fmt: skip


def fact_sets(count: int, *, passages: int = 8, seed: int = 0) -> list[dict[str, Any]]:
    """`count` questions, each with passages about different people; `truth` is the index of the one with the answer.

    Every passage has a fact of the same kind, so that only the right person's has the answer. At most 16 passages.
    """
    generator = np.random.default_rng(seed)
    sets = []
    for _ in range(count):
        people = [_PEOPLE[i] for i in generator.permutation(len(_PEOPLE))[:passages]]
        towns, trades, pets = (
            [words[i % len(words)] for i in generator.permutation(len(words)).tolist() * 2][: len(people)]
            for words in (_TOWNS, _TRADES, _PETS)
        )
        fact, asked, answer = _FACTS[int(generator.integers(len(_FACTS)))]
        known = [
            {"who": who, "town": town, "trade": trade, "pet": pet}
            for who, town, trade, pet in zip(people, towns, trades, pets, strict=True)
        ]
        texts = []
        for one in known:
            filler = _FILLER[int(generator.integers(len(_FILLER)))].format(**one)
            sentences = [fact.format(**one), filler]
            texts.append(" ".join(sentences if generator.random() < 0.5 else sentences[::-1]))
        truth = int(generator.integers(len(people)))
        sets.append(
            {
                "question": asked.format(**known[truth]),
                "passages": texts,
                "answer": fact.format(**known[truth]),
                "truth": truth,
                "short": answer.format(**known[truth]),
            }
        )
    return sets
