"""Targets: what they lose without a token, and what a model writes by itself."""

from copy import deepcopy

import numpy as np

import attnscope as ats
from families.checks.attention import relative
from families.outcome import NothingToCheckError, largest
from families.plain import Question
from families.trial import SHORT, TEXT, Trial

_COUNT = 3
# Any token that no model here would write by itself: a letter of no word.
_FORCED = 100


def deletion(trial: Trial) -> float:
    """Every third token taken out by hand, each in a pass of its own."""
    if trial.case.kind in ("bare", "qa"):
        raise NothingToCheckError("nothing to explain")
    fresh = trial.fresh()
    question = trial.plain.target(trial.ids, trial.position)
    # A short text first: what is learnt from it must hold for longer ones.
    short = trial.plain.target(trial.plain.ids(SHORT), 2)
    ats.explain(fresh.model, SHORT, method="deletion", **short.options)
    got = ats.explain(fresh.model, TEXT, method="deletion", unit="token", signed=True, **question.options)
    whole = trial.plain.value(trial.ids, question)
    tokens = [token for token in trial.kept if "position" not in question.options or token != trial.position][::3]
    wanted = []
    for token in tokens:
        left = [identity for i, identity in enumerate(trial.ids) if i != token]
        moved = trial.position - (token < trial.position)
        wanted.append(whole - trial.plain.value(left, trial.plain.target(left, moved)))
    changed = fresh.changes()
    assert not changed, f"the model came back changed: {changed}"
    return largest(relative(got.token_scores[tokens], wanted), abs(got.measured.value - whole) / max(1.0, abs(whole)))


def generation(trial: Trial) -> float:
    """What the model writes by itself: `generate` of transformers, and whole passes by hand, to the token."""
    _writes(trial)
    return _compared(trial)


def stop_tokens(trial: Trial) -> float:
    """The second token that the model writes ends the text; where it forces tokens, those it forces are written."""
    _writes(trial)
    written = trial.plain.one_by_one(trial.ids, _COUNT)
    stop = next((token for token in written[1:] if token != written[0]), None)
    if stop is None:
        raise NothingToCheckError("the model writes one token for ever")
    net = deepcopy(trial.plain.net)
    net.generation_config.eos_token_id = [2, stop]
    if trial.plain.two_stacks:
        net.generation_config.forced_bos_token_id = _FORCED
    return _compared(Trial.of(trial.case, net, trial.plain.tokenizer))


def _compared(tried: Trial) -> float:
    """How far each token's value and gradient are from those of what transformers' `generate` writes.

    Some models write something else with their cache than without (a sparse indexer's keys): then either is right.
    """
    got = ats.explain(tried.model, TEXT, method="gradient", generate=_COUNT, per_token=True)
    ends = set(np.atleast_1d(tried.net.generation_config.eos_token_id).tolist())
    cached, by_hand = (tried.plain.generated(tried.ids, _COUNT), tried.plain.one_by_one(tried.ids, _COUNT))
    rights = [cached] if _forces(tried) else [cached, _up_to(by_hand, ends)]
    errors = []
    for written in rights:
        asked = [i for i, token in enumerate(written) if token not in ends]
        if len(asked) + 1 == len(got.targets) == len(written):  # what ends it here is a word too
            asked = list(range(len(written)))
        if len(asked) == len(got.targets):
            errors.append(_error(tried, got, written, asked))
    names, decode = [target.text for target in got.targets], tried.plain.tokenizer.decode
    assert errors, f"it writes {names}; generate {[decode([token]) for token in cached]}, of which {ends} end it"
    return min(errors)


def _error(tried: Trial, got: ats.PerToken, written: list[int], asked: list[int]) -> float:
    worst = 0.0
    for row, target, place in zip(got.token_scores, got.targets, asked, strict=True):
        question, ids = _question(tried, written, place)
        vectors, _, value = tried.plain.gradient(ids, question)
        off = abs(target.value - value) / max(1.0, abs(value))
        worst = largest(worst, off, relative(row[: len(vectors)], vectors.norm(dim=-1)))
    return worst


def _forces(trial: Trial) -> bool:
    settings = trial.net.generation_config
    return bool(settings.forced_bos_token_id is not None or settings.forced_eos_token_id is not None)


def _up_to(written: list[int], ends: set[int]) -> list[int]:
    end = next((i for i, token in enumerate(written) if token in ends), len(written))
    return written[: end + 1]


def _question(trial: Trial, written: list[int], place: int) -> tuple[Question, list[int]]:
    token = written[place]
    if trial.plain.two_stacks:
        decoder = [trial.plain.start, *written[:place]]
        return Question({}, lambda logits: logits[0, -1].log_softmax(-1)[token], decoder=decoder), trial.ids
    return Question({}, lambda logits: logits[0, -1].log_softmax(-1)[token]), [*trial.ids, *written[:place]]


def _writes(trial: Trial) -> None:
    if trial.case.kind not in ("causal", "seq2seq", "multimodal"):
        raise NothingToCheckError("writes nothing")
