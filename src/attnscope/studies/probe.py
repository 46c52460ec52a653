"""Answers the questions of metrics about one text, all that are asked at one time together."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnscope.metrics.question import Explained, Set, Softened, Without
from attnscope.models.targets.label_probabilities import Choices
from attnscope.text.words import WordSpan


class Probe:
    """One text, the label that is explained, and what is known of it so far.

    words: those that can be taken away; sets of a question are indices into them.
    label: index into the choices. other: the label it is held against, in a choice of two.
    """

    def __init__(self, choices: Choices, words: Sequence[WordSpan], label: int, way: str) -> None:
        self.choices, self.words, self.label, self.way = choices, words, label, way
        self.other = 1 - label if len(choices.labels) == 2 else None
        self.known: dict[Set, NDArray[np.float64]] = {}
        self.softened: dict[Softened, NDArray[np.float64]] = {}

    def answer(self, questions: Sequence[Without | Explained | Softened]) -> list[NDArray[np.float64]]:
        """The answers, in order; texts that are known or asked for twice are not run again."""
        sets = dict.fromkeys(s for q in questions if not isinstance(q, Softened) for s in q.sets)
        self._learn([one for one in sets if one not in self.known])
        self._soften([q for q in dict.fromkeys(questions) if isinstance(q, Softened) and q not in self.softened])
        found: list[NDArray[np.float64]] = []
        for question in questions:
            if isinstance(question, Softened):
                found.append(self.softened[question])
                continue
            rows = np.array([self.known[one] for one in question.sets]).reshape(-1, len(self.choices.labels))
            found.append(self._shared(rows) if isinstance(question, Without) else self._explained(rows))
        return found

    def _learn(self, sets: Sequence[Set]) -> None:
        if not sets:
            return
        taken = [frozenset(token for word in one for token in self.words[word].tokens) for one in sets]
        rows = self.choices.without(taken, self.way).numpy()  # (set, label)
        self.known.update(zip(sets, rows, strict=True))

    def _soften(self, questions: Sequence[Softened]) -> None:
        if not questions:
            return
        times = [(question, sample) for question in questions for sample in range(question.samples)]
        places = [(list(word.tokens), i) for i, word in enumerate(self.words)]

        def soften(embeddings: Tensor, members: Sequence[int]) -> Tensor:
            embeddings = embeddings.clone()
            for row, member in enumerate(members):
                question, sample = times[member]
                chance = torch.Generator().manual_seed(question.seed * 1_000_003 + sample)
                for tokens, word in places:
                    kept = torch.rand(len(tokens), embeddings.shape[2], generator=chance) < question.keep[word]
                    embeddings[row, tokens] *= kept.to(embeddings)
            return embeddings

        rows = self._shared(self.choices.changed(len(times), soften).numpy())
        for question in questions:
            self.softened[question] = np.array(
                [row for (asked, _), row in zip(times, rows, strict=True) if asked == question]
            )

    def _shared(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(…, label) -> (…,): the label's log-probability, among the labels where there are several."""
        found = rows[:, self.label]
        return found if rows.shape[1] == 1 else found - np.logaddexp.reduce(rows, axis=1)

    def _explained(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        found = rows[:, self.label]
        return found if self.other is None else found - rows[:, self.other]
