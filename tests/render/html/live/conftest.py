"""A playground of a tiny model, in a real browser."""

from collections.abc import Iterator

import pytest
from browsing import Served, running
from snapshot import watch
from tiny_models import small


@pytest.fixture(scope="package")
def _running() -> Iterator[Served]:
    with running(small("llama", sharp=2.0), max_tokens=90) as served:
        yield served


@pytest.fixture
def served(_running: Served) -> Served:
    watch(_running.session.worker("").model.model)
    return _running
