"""Long texts at full length: nothing grows as n × n or n × vocabulary. Each script runs in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = """
import json, resource, sys, torch
import attnscope as ats

def peak():  # megabytes of the whole process; Linux's getrusage would begin with those of the process that started it
    if sys.platform == "linux":
        return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 * (1024 if sys.platform == "darwin" else 1))

seen = {}
"""
BUNDLED = """
model = ats.load(dtype=torch.float32)
for parameter in model.model.parameters():
    parameter.detach().sum()
text = ("The castle on the hill was old. " * (TOKENS // 8)).rstrip()
"""
# Two layers of one head: eager attention would hold 9 GB of weights.
SMALL = """
from planted import copy_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM
config = LlamaConfig(
    vocab_size=64, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=1,
    num_key_value_heads=1, max_position_embeddings=TOKENS,
)
torch.manual_seed(0)
model = ats.Model(LlamaForCausalLM(config).eval(), copy_tokenizer())
text = " ".join("abcdefgh"[i % 8] for i in range(TOKENS))
"""
EVERYTHING = """
row = ats.attention_maps(model, text, queries=[-1], top=0)
count = len(row.key_side.tokens)
assert count >= TOKENS - 8, count
net = model.model.config
assert row.codes.shape == (net.num_hidden_layers, net.num_attention_heads, 1, count)
seen["row of every layer and head"] = peak()
mass = ats.attention_maps(model, text, maps=False, top=0)
assert mass.statistics["received"].shape == row.codes.shape[:2] + (count,)
assert abs(mass.statistics["received"].sum(-1) - 1).max() < 1e-3
assert mass.statistics["entropy"].max() <= torch.tensor(float(count)).log()
seen["received mass and entropy"] = peak()
rolled = ats.explain(model, text, method="rollout", query=-1)
assert abs(rolled.token_scores.sum() - 1) < 1e-3
seen["rollout"] = peak()
aimed = ats.explain(model, text, method="attention_gradient")
assert aimed.token_scores.min() >= -1e-6 and aimed.token_scores.max() > 0
seen["attention_gradient"] = peak()
"""


def ran(*parts: str, tokens: int) -> dict[str, int]:
    """What a script, its parts joined, has put into `seen`."""
    code = "\n".join([BEGIN, f"TOKENS = {tokens}", *parts, "print(json.dumps(seen))"])
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1] / "support")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, int] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "tokens", "most"), [(BUNDLED, 4096, 3072), (SMALL, 32768, 4096)], ids=["bundled 4096", "small 32768"]
)
def test_everything_of_a_long_text_stays_within_a_few_gigabytes(model: str, tokens: int, most: int) -> None:
    """The whole process, model and libraries included; the peaks only rise, so the last one speaks for all.

    Every map of the bundled model would be 18 GB, one layer's of the small one 4.
    """
    found = ran(model, EVERYTHING, tokens=tokens)
    assert max(found.values()) <= most, found
    assert found["row of every layer and head"] <= most / 2, found


ABOVE = """
run = {"attention": ats.attention, "gradient": ats.explain}[METHOD]
run(model, "a warm-up of a few words")
before = peak()
result = run(model, text)
assert len(result.tokens) >= TOKENS - 8, len(result.tokens)
seen["extra"] = peak() - before
"""


@pytest.mark.slow
def test_gradient_at_2048_tokens_stays_below_plain_backward() -> None:
    """Plain backward takes 4,200 MB here, of which the logits alone are 400."""
    assert ran(BUNDLED, "METHOD = 'gradient'", ABOVE, tokens=2048)["extra"] < 2100
