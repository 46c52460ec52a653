"""A survey on Ray Data: one actor for each copy of the model, on this machine or a cluster.

Ray schedules, starts killed workers again and gives them their part once more; a part's files are written whole under a
name of their own, so that nothing is lost or doubled. The parts are those of a run without Ray.
"""

import importlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from attnscope.errors import InputError, MissingExtraError
from attnscope.models.loading.load import Model
from attnscope.models.progress import long_run
from attnscope.results.corpus.survey import Survey
from attnscope.results.files.folder import Folder
from attnscope.studies.survey.explaining import Explainer
from attnscope.studies.survey.parts import Part, Shard, parts_of
from attnscope.studies.survey.reading import rows_of
from attnscope.studies.survey.request import Ask
from attnscope.studies.survey.rows import Columns, Row
from attnscope.studies.survey.running import Run, first_part


@dataclass(frozen=True)
class Workers:
    """How many actors there are and what each gets.

    concurrency: actors, each with a copy of the model. num_cpus, num_gpus: of each; its threads are its CPUs.
    address: of a running cluster, or "auto"; None: the one that Ray is connected to, else one on this machine.
    """

    concurrency: int = 2
    num_cpus: float = 1
    num_gpus: float = 0
    address: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.concurrency, bool) or not isinstance(self.concurrency, int) or self.concurrency < 1:
            raise InputError(f"concurrency={self.concurrency!r}: expected a number of actors, from 1 on")


def run_on_ray(model: Model, data: Any, ask: Ask, folder: Folder, shard: Shard, workers: Workers) -> Survey:
    """All parts that are missing, by actors. Raises MissingExtraError without Ray."""
    ray = _connected(workers)
    files = isinstance(data, str | os.PathLike)
    parts, kept = first_part(parts_of(rows_of(data, ask.columns), ask.part_texts), ask)
    run = Run(model, ask, folder, shard)
    run.begin()
    done: list[int] = []
    # Of files the actors read their parts themselves; other data is here, and its rows are sent.
    missing = [
        {"number": part.number, "first": part.rows[0].number, "texts": len(part.rows), "rows": None if files else part}
        for part in run.missing(parts, done.append)
    ]
    with long_run("texts", run.texts if shard.of == 1 else None) as pace:
        pace.found_done(sum(done))
        if missing:
            shared = ray.put((model, ask, kept, folder.path, os.fspath(data) if files else None, workers))
            with _quiet(ray):
                written = ray.data.from_items(missing, override_num_blocks=len(missing)).map(
                    _Actor, fn_constructor_args=(shared,), num_cpus=workers.num_cpus, num_gpus=workers.num_gpus or None,
                    compute=ray.data.ActorPoolStrategy(size=workers.concurrency),
                )  # fmt: skip
                for one in written.iter_rows():
                    pace.advance(one["texts"])
    return run.end()


class _Actor:
    """A copy of the model, which makes one part after another."""

    def __init__(self, shared: Any) -> None:
        import torch

        model, ask, kept, path, data, workers = _ray().get(shared)
        if workers.num_gpus:
            model.model.to("cuda")
        torch.set_num_threads(max(1, int(workers.num_cpus)))
        self.run = Run(model, ask, Folder(path), Shard())
        self.explainer = Explainer(model, ask, kept)
        self.reader = None if data is None else _Reader(data, ask.columns)

    def __call__(self, place: dict[str, Any]) -> dict[str, Any]:
        part = place["rows"]
        if self.reader is not None:
            part = Part(place["number"], self.reader.rows(place["first"], place["texts"]))
        self.run.write(part, self.explainer.tables(part))
        return {"texts": place["texts"]}


class _Reader:
    """Rows of files by their place. Parts come in order, so that the files are mostly read once."""

    def __init__(self, data: str, columns: Columns) -> None:
        self.data, self.columns = data, columns
        self._restart()

    def _restart(self) -> None:
        self._rows: Iterator[Row] = rows_of(self.data, self.columns)
        self._next = 0

    def rows(self, first: int, count: int) -> tuple[Row, ...]:
        """`count` rows from `first` on."""
        if first < self._next:
            self._restart()
        found = tuple(islice(self._rows, first - self._next, first - self._next + count))
        self._next = first + count
        return found


def _ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise MissingExtraError(
            'engine="ray" needs Ray, which is not installed: pip install "attnscope[ray]", or leave engine out'
        ) from error


@contextmanager
def _quiet(ray: Any) -> Iterator[None]:
    """Ray shows no bars beside ours, and logs errors only. A dataset keeps the settings that it is made with."""
    context, log = ray.data.DataContext.get_current(), logging.getLogger("ray.data")
    before = context.enable_progress_bars, log.level
    context.enable_progress_bars = False
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        context.enable_progress_bars = before[0]
        log.setLevel(before[1])


def _connected(workers: Workers) -> Any:
    """Ray, connected to a cluster. On this machine Ray gets one CPU more than the actors, for what it reads."""
    ray = _ray()
    importlib.import_module("ray.data")
    if ray.is_initialized():
        return ray
    if workers.address is not None:
        ray.init(address=workers.address, log_to_driver=False, logging_level=logging.ERROR)
    else:
        cpus = max(os.cpu_count() or 1, int(workers.concurrency * max(1, workers.num_cpus)) + 1)
        ray.init(num_cpus=cpus, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    return ray
