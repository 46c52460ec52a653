"""`ats.Model` and `ats.load`: a model of one's own, and what starts without torch."""

import os
import subprocess
import sys

import pytest
from planted import copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from attnscope.errors import ModelError


def test_a_model_of_ones_own() -> None:
    model = ats.Model(tiny("llama"), copy_tokenizer())
    assert ats.load(model) is model
    assert model.positions == 96
    assert ats.explain(model, "a b c").provenance["model"] == "LlamaForCausalLM"


def test_a_model_without_its_tokenizer_is_refused() -> None:
    with pytest.raises(ModelError, match=r"attnscope\.Model\(model, tokenizer\)"):
        ats.load(tiny("llama"))
    with pytest.raises(ModelError, match="takes a transformers model, not str"):
        ats.Model("gpt2", copy_tokenizer())


@pytest.mark.parametrize(("family", "positions"), [("roberta", 94), ("bert", 96), ("gpt2", 96), ("t5", None)])
def test_positions(family: str, positions: int | None) -> None:
    assert ats.Model(tiny(family), copy_tokenizer()).positions == positions


def test_import_and_help_load_no_torch() -> None:
    for code in ("import attnscope", "import attnscope.cli", "from attnscope import Attribution, save"):
        check = f"{code}; import sys; sys.exit(any(m in sys.modules for m in ('torch', 'transformers')))"
        assert subprocess.run([sys.executable, "-c", check], env=os.environ, check=False).returncode == 0, code
