"""Two results opposite each other: of two texts, by two models or by two methods."""

from typing import Any

from attnscope.errors import InputError
from attnscope.models.loading.load import Model
from attnscope.results.attribution import Attribution
from attnscope.results.comparison import ComparedSide, Comparison, paired_words
from attnscope.serve.jobs import Job
from attnscope.serve.questions import Question
from attnscope.serve.session import Session
from attnscope.text.visible import model_name

# Words that the page lists, the most different first.
MOST = 20


def comparison(question: Question) -> Comparison:
    """Of the question's two results. Raises InputError where there are not two, and what reading a result raises."""
    if len(question.results) != 2:
        raise InputError("a comparison is of two results")
    left, right = (Attribution.from_json(document, "the page") for document in question.results)
    names = {
        "text": ("first text", "second text"),
        "model": (model_name(question.model), model_name(question.other)),
        "method": (question.method, question.other),
    }[question.versus]
    sides = ComparedSide(names[0], left), ComparedSide(names[1], right)
    return Comparison(*sides, paired_words(*sides, {}))


def compared(_session: Session, _model: Model, question: Question, _job: Job) -> Any:
    """The words that differ most by their share of all importance, as (left word, right word, left share, right share);
    the index of a word that is not there is null."""
    whole = comparison(question)
    shares = whole.left.shares, whole.right.shares
    words = [
        (
            pair.left,
            pair.right,
            0.0 if pair.left is None else float(shares[0][pair.left]),
            0.0 if pair.right is None else float(shares[1][pair.right]),
        )
        for pair in whole.pairs
    ]
    moved = sum(abs(right - left) for _, _, left, right in words) / 2
    return {"words": sorted(words, key=lambda word: -abs(word[3] - word[2]))[:MOST], "moved": moved}
