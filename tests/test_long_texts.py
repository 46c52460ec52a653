"""The bundled model at its full length: nothing grows as n × n or n × vocabulary."""

import subprocess
import sys

import pytest

MEASURE = """
import resource, sys, torch
import attnscope as ats
model = ats.load(dtype=torch.float32)
for parameter in model.model.parameters():
    parameter.detach().sum()
{run}(model, "a warm-up of a few words")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
text = ("The castle on the hill was old. " * ({tokens} // 8)).rstrip()
result = {run}(model, text)
assert len(result.tokens) >= {tokens} - 8, len(result.tokens)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def extra_megabytes(run: str, tokens: int) -> int:
    code = MEASURE.format(run=run, tokens=tokens)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    megabytes = int(done.stdout)
    return megabytes if sys.platform != "darwin" else megabytes // 1024


@pytest.mark.slow
def test_attention_at_full_length_stays_small() -> None:
    """Eager attention would hold 30 × 9 × 8,192² numbers: 72 GB."""
    assert extra_megabytes("ats.attention", 8192) < 1000


@pytest.mark.slow
def test_gradient_at_2048_tokens_stays_below_plain_backward() -> None:
    """Plain backward takes 4,200 MB here, of which the logits alone are 400."""
    assert extra_megabytes("ats.explain", 2048) < 2100
