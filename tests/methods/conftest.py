"""A model that is small enough for every method, and sharp enough that they differ."""

import pytest
from snapshot import watch
from tiny_models import small

import attnscope as ats


@pytest.fixture(scope="session")
def _llama() -> ats.Model:
    return small("llama", sharp=2.0)


@pytest.fixture
def llama(_llama: ats.Model) -> ats.Model:
    """A random llama of three layers, with a token for each letter."""
    watch(_llama)
    return _llama
