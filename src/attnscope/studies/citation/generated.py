"""Questions with made-up facts, of which one passage alone has the answer: the truth is known.

Two worlds have no name, no fact and no kind of question in common: one to learn from, one to judge on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from attnscope.errors import InputError


@dataclass(frozen=True)
class World:
    """People, words by their kind, and what can be said of a person: a fact, and the question that asks for it."""

    people: Sequence[str]
    words: Mapping[str, Sequence[str]]
    facts: Sequence[tuple[str, str]]


JUDGED = World(
    (
        "Aldo Brenn", "Mira Castel", "Jonas Veld", "Sena Okoro", "Lena Marsh", "Tomas Ruud", "Ines Falk", "Karl Dorn",
        "Yuki Hara", "Nadia Quist", "Owen Pell", "Clara Bight", "Rui Matos", "Edda Storm", "Felix Arn", "Greta Holm",
        "Ivo Lanz", "Petra Wick", "Sami Torr", "Vera Nash",
    ),
    {
        "town": (
            "Arvika", "Belmora", "Castrin", "Dunfell", "Eskola", "Farrow", "Glimsand", "Hestvik", "Ilmen", "Jorvik",
            "Kelso", "Lunden", "Marrow", "Norden", "Ostrava", "Pelham", "Quill", "Rosslare", "Sandby", "Tarn",
        ),
        "trade": (
            "baker", "painter", "doctor", "sailor", "teacher", "farmer", "printer", "weaver", "miller", "joiner",
            "tailor", "nurse", "lawyer", "pilot", "butcher", "gardener", "potter", "barber", "plumber", "cook",
        ),
        "pet": (
            "parrot", "tortoise", "goat", "donkey", "ferret", "owl", "rabbit", "pony", "hamster", "lizard", "goose",
            "pigeon", "snake", "duck", "sheep", "pig", "mouse", "crow", "frog", "swan",
        ),
    },
    (
        ("{who} was born in {town}.", "Where was {who} born?"),
        ("{who} works as a {trade}.", "What does {who} work as?"),
        ("{who} keeps a {pet}.", "What animal does {who} keep?"),
    ),
)  # fmt: skip
LEARNT_FROM = World(
    (
        "Bram Oster", "Dina Vale", "Emil Roth", "Fiona Gray", "Hugo Stein", "Iris Boon", "Jana Krol", "Leo Marden",
        "Nils Akker", "Olga Finch", "Pavel Sorin", "Rita Lowe", "Stefan Moor", "Tessa Brook", "Ulla Berg",
        "Viktor Senn", "Wanda Pike", "Xavi Roca", "Yara Odell", "Zeno Kraft",
    ),
    {
        "instrument": (
            "piano", "violin", "flute", "harp", "trumpet", "drum", "guitar", "organ", "cello", "clarinet", "banjo",
            "oboe", "horn", "lute", "accordion", "bagpipe", "viola", "tuba", "zither", "whistle",
        ),
        "dish": (
            "soup", "rice", "bread", "cheese", "fish", "salad", "cake", "beans", "pasta", "stew", "curry", "pie",
            "noodles", "eggs", "porridge", "pancakes", "olives", "honey", "ham", "plums",
        ),
        "colour": (
            "red", "blue", "green", "yellow", "black", "white", "brown", "grey", "pink", "orange", "purple", "silver",
            "golden", "violet", "crimson", "beige", "scarlet", "amber", "ivory", "turquoise",
        ),
    },
    (
        ("{who} plays the {instrument}.", "Which instrument does {who} play?"),
        ("{who} likes {dish} best.", "Which food does {who} like best?"),
        ("The door of {who} is {colour}.", "Which colour is the door of {who}?"),
    ),
)  # fmt: skip


def fact_sets(count: int, *, passages: int = 8, seed: int = 0, world: World = JUDGED) -> list[dict[str, Any]]:
    """`count` questions, each with passages of one sentence about different people; `truth` is the index of the one
    with the answer.

    Every passage has a fact of the same kind with a word of its own, so that the right person's alone has the answer.
    Raises InputError for more passages than there are people: 20.
    """
    if not 1 <= passages <= len(world.people):
        raise InputError(f"passages={passages!r}: there are {len(world.people)} people, so give 1 to as many")
    generator = np.random.default_rng(seed)
    sets = []
    for _ in range(count):
        fact, asked = world.facts[int(generator.integers(len(world.facts)))]
        chosen = {kind: generator.permutation(words)[:passages].tolist() for kind, words in world.words.items()}
        chosen["who"] = generator.permutation(world.people)[:passages].tolist()
        known = [{kind: words[i] for kind, words in chosen.items()} for i in range(passages)]
        truth = int(generator.integers(passages))
        sets.append(
            {
                "question": asked.format(**known[truth]),
                "passages": [fact.format(**one) for one in known],
                "answer": fact.format(**known[truth]),
                "truth": truth,
            }
        )
    return sets
