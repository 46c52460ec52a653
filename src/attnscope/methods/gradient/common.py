"""One gradient a text, for the methods that need no more: texts side by side, then a score from each token's vector."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from attnscope.methods.request import Question, Result
from attnscope.models.embeddings import embedded
from attnscope.models.gradients.input_gradients import gradients

# (target, token, hidden) gradients and (token, hidden) embeddings -> (target, token) scores
Score = Callable[[Tensor, Tensor], Tensor]


def vectors_of(asked: Sequence[Question]) -> list[tuple[Tensor, Tensor]]:
    """Of each question the target's values (target,) and its gradients (target, token, hidden), float64."""
    readings = [(i, reading) for i, question in enumerate(asked) for reading in question.objective.readings]
    totals: dict[int, tuple[Tensor, Tensor]] = {}
    for index, found in gradients(asked[0].model.model, [reading for _, reading in readings]):
        number = readings[index][0]
        vectors = asked[number].objective.on_tokens(found.vectors.double())
        if number in totals:
            values, sums = totals[number]
            totals[number] = values + found.values, sums + vectors
        else:
            totals[number] = found.values, vectors
    return [totals[i] for i in range(len(asked))]


def each_answer(
    asked: Sequence[Question], method: str, parameters: Mapping[str, Any], score: Score, *, signed: bool
) -> list[Result]:
    """The results of a method whose token scores come from one gradient and whose units sum their tokens."""
    results = []
    for question, (values, vectors) in zip(asked, vectors_of(asked), strict=True):
        here = embedded(question.model.model, question.objective)
        tokens = score(vectors, here).numpy()
        results.append(
            question.answer(
                method,
                tokens=tokens,
                units=question.pooled(tokens),
                values=values.tolist(),
                family="gradient",
                options=parameters,
                signed=signed,
            )
        )
    return results


def norms(vectors: Tensor, order: int) -> Tensor:
    """(…, hidden) -> (…)."""
    found: Tensor = torch.linalg.vector_norm(vectors, ord=order, dim=-1)
    return found
