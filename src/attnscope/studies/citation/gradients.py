"""Scores of a source from one gradient a statement: the sum over its tokens, by the methods of `explain`."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import NonFiniteError
from attnscope.methods.request import requested
from attnscope.methods.runner import with_shared
from attnscope.methods.table import METHODS
from attnscope.methods.task import Task
from attnscope.methods.units import units_of
from attnscope.models.targets.target import Objective
from attnscope.studies.citation.setup import Setup

# Of METHODS, and in what their scores are.
GRADIENTS = {"gradient": "nats per unit of embedding", "mask_gradient": "nats", "gim": "nats"}


def gradient_scores(setup: Setup, name: str) -> NDArray[np.float64]:
    """(statement, source) Σ over the source's tokens of the method's score for the statement's log-probability.

    Signed as the method is: `gradient` is a norm and never below 0. One forward and one backward pass a statement.
    Raises what the method raises, and NonFiniteError where a score is not finite.
    """
    method = METHODS[name]
    options, request = requested({}, method.options, method.shared_options, name)
    encoded = setup.encoded
    units = units_of(encoded, "token", None, None)
    # A statement that shares its only token with the one before it has nothing of its own to score.
    scored = sorted(set(setup.token_statement))
    tasks = [Task(setup.model, name, encoded, units, request, _of_statement(setup, k)) for k in scored]
    found = np.zeros((len(setup.statements), len(setup.parts)))
    for k, task in zip(scored, with_shared(tasks), strict=True):
        tokens = np.asarray(method.run(task, **options).tokens, dtype=np.float64).reshape(-1)
        setup.other_passes += 2
        if not np.isfinite(tokens).all():
            raise NonFiniteError(f"{name} gave a score that is not finite: choose another method, or load in float32")
        found[k] = [tokens[sorted(part.tokens)].sum() for part in setup.parts]
    return found


def _of_statement(setup: Setup, statement: int) -> Objective:
    """The log-probability of one statement, given what the answer says before it."""
    (readout,) = setup.objective.readouts
    own = [entry for entry, owner in enumerate(setup.token_statement) if owner == statement]
    one = replace(
        readout,
        positions=tuple(readout.positions[i] for i in own),
        ids=tuple(readout.ids[i] for i in own),
        signs=(1,) * len(own),
        per_token=False,
    )
    return replace(setup.objective, readouts=(one,), about=())
