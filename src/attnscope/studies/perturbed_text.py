"""How likely the explained label is on a text with words removed or softened; each version of the text runs once."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnscope.metrics.query import LogProbability, SoftenedLogProbability, TargetValue, WordSet
from attnscope.models.targets.label_probabilities import Choices
from attnscope.models.targets.lm_head import is_multi_label
from attnscope.text.words import WordSpan


class PerturbedText:
    """One text, the explained label, and the answers about versions of the text that have already run.

    words:       the words that can be removed; the sets of a query hold indices into them.
    label:       the index of the explained label among the choices.
    other:       the index of the label that it is contrasted with, in a choice of two.
    replacement: what replaces removed words, one of `without_tokens.REPLACEMENTS`.
    """

    def __init__(self, choices: Choices, words: Sequence[WordSpan], label: int, replacement: str) -> None:
        self.choices, self.words, self.label, self.replacement = choices, words, label, replacement
        self.other = 1 - label if len(choices.labels) == 2 else None
        # The log-probabilities (label,) without each set of words.
        self.known: dict[WordSet, NDArray[np.float64]] = {}
        # The log-probabilities (sample,) of the explained label.
        self.softened: dict[SoftenedLogProbability, NDArray[np.float64]] = {}

    @property
    def predicted(self) -> bool:
        """Whether the explained label is the likeliest on the whole text."""
        whole = frozenset[int]()
        if whole not in self.known:
            self._run_without([whole])
        return int(self.known[whole].argmax()) == self.label

    def answer(
        self, queries: Sequence[LogProbability | TargetValue | SoftenedLogProbability]
    ) -> list[NDArray[np.float64]]:
        """The answers, in order. Versions of the text that are known, or that several queries share, run only once."""
        sets = dict.fromkeys(
            words for query in queries if not isinstance(query, SoftenedLogProbability) for words in query.without
        )
        self._run_without([words for words in sets if words not in self.known])
        self._run_softened(
            [
                query
                for query in dict.fromkeys(queries)
                if isinstance(query, SoftenedLogProbability) and query not in self.softened
            ]
        )
        return [self._answer(query) for query in queries]

    def _answer(self, query: LogProbability | TargetValue | SoftenedLogProbability) -> NDArray[np.float64]:
        if isinstance(query, SoftenedLogProbability):
            return self.softened[query]
        rows = np.array([self.known[words] for words in query.without]).reshape(-1, len(self.choices.labels))
        return self._share(rows) if isinstance(query, LogProbability) else self._target_value(rows)

    def _run_without(self, sets: Sequence[WordSet]) -> None:
        if not sets:
            return
        removed = [frozenset(token for word in words for token in self.words[word].tokens) for words in sets]
        rows = self.choices.without(removed, self.replacement).numpy()  # (set, label)
        self.known.update(zip(sets, rows, strict=True))

    def _run_softened(self, queries: Sequence[SoftenedLogProbability]) -> None:
        if not queries:
            return
        runs = [(query, sample) for query in queries for sample in range(query.samples)]
        tokens_of_words = [list(word.tokens) for word in self.words]

        def soften(embeddings: Tensor, members: Sequence[int]) -> Tensor:
            embeddings = embeddings.clone()  # (batch, token, hidden)
            for row, member in enumerate(members):
                query, sample = runs[member]
                generator = torch.Generator().manual_seed(query.seed * 1_000_003 + sample)
                for tokens, keep in zip(tokens_of_words, query.keep, strict=True):
                    mask = torch.rand(len(tokens), embeddings.shape[2], generator=generator) < keep
                    embeddings[row, tokens] *= mask.to(embeddings)
            return embeddings

        log_probabilities = self._share(self.choices.changed(len(runs), soften).numpy())  # (run,)
        for query in queries:
            self.softened[query] = np.array(
                [value for (of_query, _), value in zip(runs, log_probabilities, strict=True) if of_query == query]
            )

    def _share(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(…, label) -> (…,): the label's log-probability, as a share among the labels where there are several.

        The labels of a multi-label classifier are independent: each has its own. A cosine similarity is taken from
        −1..1 to 0..1 first, and then plays the probability's part.
        """
        if self.choices.alike:
            with np.errstate(divide="ignore"):
                return np.asarray(np.log(np.clip((1 + rows[:, 0]) / 2, 0, 1)))
        explained = rows[:, self.label]
        alone = rows.shape[1] == 1 or is_multi_label(self.choices.model.model)
        return explained if alone else explained - np.logaddexp.reduce(rows, axis=1)

    def _target_value(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(…, label) -> (…,): the label's log-probability, less the other label's in a choice of two."""
        explained = rows[:, self.label]
        return explained if self.other is None else explained - rows[:, self.other]
