"""What docs/weights.md says about the forms that weights are saved in, on real models."""

import numpy as np
import pytest
import torch
import transformers as hf
from real_models import qwen_coder_folder

import attnscope as ats
from attnscope.models.inputs.encode import encode
from reference.quantised import COLUMNS, FORMS, measured

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of what the quantisers say

GRADIENTS = {"gradient", "gradient_x_input", "integrated_gradients", "gim", "attention_gradient"}
REFUSED = {"torchao int8, int8 inputs": GRADIENTS, "torch qint8": GRADIENTS | {"deletion", "generation"}}
# Weights that are rounded and nothing else: the float32 model of the same numbers. Others round what goes through too.
EXACT = {"bitsandbytes nf4", "bitsandbytes fp4, nested scales", "torchao int8"}


@pytest.mark.parametrize("form", FORMS)
def test_what_the_table_says(form: str) -> None:
    found = measured(form)
    refused = {column for column, value in found.items() if isinstance(value, str)}
    assert refused == REFUSED.get(form, set())
    assert set(found) >= {*COLUMNS}
    if "gradient" not in refused:
        assert found["plain autograd"] < (0.02 if "float" in form else 1e-3)
    for column in {*COLUMNS} - refused:
        if form in EXACT:
            assert found[column] <= (0.1 if column == "integrated_gradients" else 1e-3), column
        elif form == "float16":
            assert found[column] <= (0.2 if column in ("gim", "integrated_gradients") else 0.02), column
        elif column in ("attention", "maps", "rollout", "value_norm", "value_zeroing", "deletion"):
            assert found[column] <= (0.5 if form == "torch qint8" else 0.3), column


TEXTS = [
    "The castle", "def add(a, b):\n    return a + b", "Hello", "熊本城について説明して。", "What is the capital of Japan?",  # noqa: E501
    "for i in range(10): print(i)", "I do not like it", "It was good.", "import numpy as np", "1 + 1 = 2", "The the",
    "a", "SELECT name FROM users;", "Don't stop: New York.", "The old castle stands on the hill above the town.",
    "yes", "no, never", "x", "Tokyo is in Japan", "return None",
]  # fmt: skip


def test_a_checkpoint_in_bfloat16_is_never_refused_by_chance() -> None:
    """As most checkpoints are saved, and as `load` gives them."""
    model = ats.load(qwen_coder_folder())
    assert model.model.dtype == torch.bfloat16
    for text in TEXTS:
        fresh = ats.Model(model.model, model.tokenizer)
        row = ats.attention(fresh, text, layer=3, head=1, query=-1)
        assert row.token_scores.sum() == pytest.approx(1, abs=1e-4)
        if len(row.tokens) > 1:
            assert np.isfinite(ats.explain(fresh, text).scores).all()


def test_rows_and_gradients_of_bfloat16_are_within_what_rounding_allows_of_float32() -> None:
    half = ats.load(qwen_coder_folder())
    whole = ats.Model(
        hf.AutoModelForCausalLM.from_pretrained(qwen_coder_folder(), dtype=torch.float32).eval(), half.tokenizer
    )
    text = TEXTS[4]
    assert encode(half.tokenizer, text).tokens == encode(whole.tokenizer, text).tokens
    ids = torch.tensor([half.tokenizer(text)["input_ids"]])
    eager = ats.load(qwen_coder_folder()).model
    eager.set_attn_implementation("eager")
    with torch.no_grad():
        attentions = eager(ids, output_attentions=True).attentions
    for layer in (0, 10, 20):
        ours, exact = (ats.attention(m, text, layer=layer, head=2, query=-1).token_scores for m in (half, whole))
        own = attentions[layer][0, 2, -1].float().numpy()
        assert np.abs(ours - exact).max() <= 2 * np.abs(own - exact).max() + 0.02, layer
    embeddings = half.model.get_input_embeddings()(ids).detach().requires_grad_()
    half.model(inputs_embeds=embeddings, labels=ids).loss.backward(inputs=[embeddings])
    ours, exact = (ats.explain(m, text).token_scores for m in (half, whole))
    own = embeddings.grad[0].float().norm(dim=-1).numpy()
    assert np.abs(ours - exact).max() <= 2 * np.abs(own - exact).max() + 0.02 * exact.max()
