"""Runs cases, each in a forked child of its own, with limits of time and memory; a line of JSON for each."""

import json
import multiprocessing
import os
import resource
import signal
import time
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch

from families.build import build
from families.cases import Case
from families.checks import CHECKS
from families.outcome import decide
from families.trial import Trial

# Of a case: in a few seconds and a few hundred megabytes it is done, or something is wrong.
SECONDS, BYTES = 420, 12 * 2**30
# Kind, family and architecture of a case; and "checks", an outcome by name, or "failed", why there are none.
Record = dict[str, Any]


def run(cases: Sequence[Case], jobs: int) -> Iterator[Record]:
    """The records of these cases as they are done, `jobs` at a time."""
    fork = multiprocessing.get_context("fork")
    waiting = list(reversed(cases))
    running: dict[Connection, tuple[Case, Any, float]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            case = waiting.pop()
            ours, theirs = fork.Pipe(duplex=False)
            child = fork.Process(target=_child, args=(case, theirs), daemon=True)
            child.start()
            theirs.close()
            running[ours] = (case, child, time.monotonic())
        for ours in wait(list(running)):
            assert isinstance(ours, Connection)
            case, child, started = running.pop(ours)
            record = _received(ours, case)
            child.join()
            record["seconds"] = round(time.monotonic() - started, 1)
            yield record


def _received(ours: Connection, case: Case) -> Record:
    try:
        record: Record = ours.recv()
    except EOFError:
        record = _head(case) | {"failed": f"killed: over {SECONDS} seconds, or {BYTES >> 30} GB"}
    ours.close()
    return record


def _child(case: Case, theirs: Connection) -> None:
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    signal.alarm(SECONDS)
    theirs.send(record_of(case))
    theirs.close()
    os._exit(0)


def record_of(case: Case) -> Record:
    """Builds the case's model and makes every check."""
    torch.set_num_threads(1)
    try:
        trial = Trial.of(case, *build(case))
        _reads_text(trial)
    except Exception as error:
        return _head(case) | {"failed": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}
    in_double = partial(trial.in_precision, torch.float64)
    outcomes = {name: decide(check, allowed, trial, in_double) for name, (check, allowed) in CHECKS.items()}
    return _head(case) | {"checks": {name: outcome.to_json() for name, outcome in outcomes.items()}}


def _reads_text(trial: Trial) -> None:
    """Raises what the model raises where it does not read a text alone."""
    net = trial.fresh().net
    with torch.no_grad():
        if trial.case.kind in ("bare", "qa"):
            trial.plain.body(net)(**trial.plain.body_inputs(net, trial.ids))
        else:
            trial.plain.logits(net, trial.ids, trial.plain.loss(trial.ids))


def _head(case: Case) -> Record:
    return {"kind": case.kind, "family": case.family, "architecture": case.architecture}


def resumed(path: Path) -> list[Record]:
    """The records that are in a file already."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
