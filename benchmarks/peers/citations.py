"""The context-cite package beside our surrogate: the same prompt, answer, masks and penalty.

It runs in an environment of its own (`make bench-peers` makes it): `python citations.py QUESTIONS MODEL MASKS` there
prints its masks, log-probabilities and scores as JSON.
"""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

MASKS = 32
# The package's own, with its passages on lines of their own.
TEMPLATE = "Context:\n{passages}\n\nQuery: {question}"


def theirs(questions: list[dict[str, Any]], checkpoint: str, masks: int) -> list[dict[str, Any]]:
    """Of each question what context-cite makes of it."""
    import numpy as np
    import torch
    from context_cite import ContextCiter
    from context_cite.context_partitioner import BaseContextPartitioner
    from transformers import AutoModelForCausalLM, AutoTokenizer

    class Passages(BaseContextPartitioner):
        """Passages with a blank line between them."""

        def __init__(self, passages: list[str]) -> None:
            super().__init__("\n\n".join(passages))
            self.passages = passages

        @property
        def num_sources(self) -> int:
            return len(self.passages)

        def split_context(self) -> None:
            pass

        def get_source(self, index: int) -> str:
            return self.passages[index]

        def get_context(self, mask: Any = None) -> str:
            kept = np.ones(len(self.passages), bool) if mask is None else mask
            return "\n\n".join(one for one, there in zip(self.passages, kept, strict=True) if there)

    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    found = []
    for one in questions:
        citer = ContextCiter(
            model, tokenizer, "\n\n".join(one["passages"]), one["question"], num_ablations=masks,
            partitioner=Passages(one["passages"]), prompt_template="Context:\n{context}\n\nQuery: {query}",
        )  # fmt: skip
        _, prompt = citer._get_prompt_ids(return_prompt=True)
        citer._cache["output"] = prompt + one["answer"]  # else the package generates one
        scores = citer.get_attributions(verbose=False)
        tokens = torch.tensor(citer._logit_probs)
        log_probability = torch.nn.functional.logsigmoid(tokens).sum(1).double()
        found.append(
            {
                "masks": citer._masks.astype(float).tolist(),
                "log_probabilities": log_probability.tolist(),
                "scores": scores.tolist(),
                "version": version("context-cite"),
            }
        )
    return found


def compare(model: Any, python: str, out: Path, count: int) -> None:
    """Run the package in its environment, and ours on the bundled model and its masks; write how far they are apart."""
    import numpy as np

    from attnscope.models.default_settings import default_settings
    from attnscope.models.loading.bundled import folder
    from attnscope.studies.citation.generated import fact_sets
    from attnscope.studies.citation.setup import setup
    from attnscope.studies.citation.surrogate import fitted, logits_of, tokens_of

    questions = fact_sets(count, passages=6)
    asked = [python, __file__, json.dumps(questions), str(folder()), str(MASKS)]
    peer = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    apart = {"logits": 0.0, "scores": 0.0, "largest": 0.0}
    for one, other in zip(questions, peer, strict=True):
        with default_settings():
            found = setup(
                model, one["question"], one["passages"], one["answer"], generate=8, template=TEMPLATE, segments=None,
                unit=None, within=None,
            )  # fmt: skip
            kept = np.array(other["masks"])
            ours = logits_of(found, kept)
            scores = fitted(kept, ours, tokens_of(found), 0)[0][0]
        p = np.array(other["log_probabilities"])
        theirs_logits = p - np.log(-np.expm1(p))
        apart["logits"] = max(apart["logits"], float(np.abs(ours[0] - theirs_logits).max()))
        apart["scores"] = max(apart["scores"], float(np.abs(scores - np.array(other["scores"])).max()))
        apart["largest"] = max(apart["largest"], float(np.abs(scores).max()))
    out.write_text(json.dumps(apart | {"version": peer[0]["version"], "questions": count, "masks": MASKS}))
    print(out.read_text())


if __name__ == "__main__":
    print(json.dumps(theirs(json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
