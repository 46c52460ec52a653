"""What the caller has set for torch and numpy changes no result, and is as it was afterwards."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from planted import copy_tokenizer
from tiny_models import GROUPED, tiny
from transformers import LlamaConfig, LlamaForCausalLM

import attnscope as ats
from attnscope.errors import ModelError

TEXT = "a b c d e f"


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


SETTINGS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "grad disabled": lambda: torch.set_grad_enabled(False),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "another device": lambda: torch.device("meta"),
    "numpy raises": lambda: np.errstate(all="raise"),
}
CALLS: dict[str, Callable[[ats.Model], Any]] = {
    "own": lambda model: ats.attention(model, TEXT, query=3, layer=1, head=0),
    "maps": lambda model: ats.attention_maps(model, TEXT, generate=2),
    "compare": lambda model: ats.compare(model, TEXT, "a b x d e f", labels=[" g", " h"]),
    "evaluate": lambda model: ats.evaluate(
        model, [TEXT], ["gradient", "gim"], ["comprehensiveness", "soft_sufficiency"], target=" g"
    ),
    **{
        name: lambda model, name=name: ats.explain(model, TEXT, name, target=" g", **FEW.get(name, {}))  # type: ignore[misc]
        for name in ats.METHODS
    },
}
FEW: dict[str, dict[str, Any]] = {"lime": {"samples": 40}, "shapley": {"pairs": 3}}


@pytest.fixture(scope="module")
def llama() -> ats.Model:
    return ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())


def numbers(result: Any) -> str:
    """The result without what no two runs share."""
    if isinstance(result, ats.Evaluation):
        return str([(row.method, row.values, row.scores, row.probability) for row in result.rows])
    return str(result.to_json())


def state() -> tuple[Any, ...]:
    return (
        torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu"),
        torch.get_default_dtype(), torch.get_default_device(), np.geterr(),
    )  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_results_are_those_of_a_fresh_process(llama: ats.Model, call: str) -> None:
    expected = numbers(CALLS[call](llama))
    for name, setting in SETTINGS.items():
        with setting():
            before = state()
            found = numbers(CALLS[call](llama))
            assert state() == before, name
        assert found == expected, name


def test_the_callers_settings_come_back_after_an_error(llama: ats.Model) -> None:
    with torch.no_grad(), default_dtype(torch.float64), np.errstate(all="raise"):
        before = state()
        with pytest.raises(ats.AttnscopeError):
            ats.explain(llama, "", "gradient", target=" g")
        assert state() == before


def test_a_model_made_in_inference_mode_is_refused_where_gradients_are_needed() -> None:
    with torch.inference_mode():
        model = ats.Model(LlamaForCausalLM(LlamaConfig(**GROUPED)), copy_tokenizer())
    with pytest.raises(ModelError, match=r"made under torch\.inference_mode"):
        ats.explain(model, TEXT, "gradient", target=" g")


FORKED = """
import multiprocessing
import torch
from planted import copy_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM
import attnscope as ats

torch.set_num_threads(2)
config = LlamaConfig(vocab_size=40, hidden_size=512, intermediate_size=1024, num_hidden_layers=2, num_attention_heads=4)
model = ats.Model(LlamaForCausalLM(config).eval(), copy_tokenizer())


def scores(method):
    return ats.explain(model, "a b c d e f " * 9, method, target=" g").token_scores


def in_child(method):
    found = scores(method)
    assert torch.get_num_threads() == 2
    return found


wanted = {method: scores(method) for method in ("gradient", "attention", "deletion")}
with multiprocessing.get_context("fork").Pool(2) as pool:
    for method, got in zip(wanted, pool.map_async(in_child, wanted).get(timeout=60)):
        assert abs(got - wanted[method]).max() < 1e-5, method
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_forked_process_gives_the_same_scores() -> None:
    """OpenMP's threads are not forked along: a child that computes on two waits for the second for ever."""
    support = Path(__file__).parents[1] / "support"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*map(str, [support]), os.environ.get("PYTHONPATH", "")]),
    }
    subprocess.run([sys.executable, "-c", FORKED], env=environment, check=True, timeout=200)
