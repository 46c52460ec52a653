"""A tiny model, and texts for it."""

import pytest
from tiny_models import small

import attnscope as ats


@pytest.fixture(scope="package")
def model() -> ats.Model:
    return small("llama", 2.0)


@pytest.fixture
def texts() -> list[str]:
    return ["a b c d e f"[: 3 + 2 * (number % 5)] for number in range(30)]
