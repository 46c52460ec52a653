"""A playground of a tiny model, served on this machine."""

from collections.abc import Iterator

import pytest
from browsing import Served, running
from snapshot import watch
from tiny_models import small


@pytest.fixture(scope="package")
def _running() -> Iterator[Served]:
    with running(small("llama", sharp=2.0), max_tokens=80) as served:
        yield served


@pytest.fixture
def served(_running: Served) -> Served:
    for worker in _running.session.workers.values():
        watch(worker.model.model)
    return _running
