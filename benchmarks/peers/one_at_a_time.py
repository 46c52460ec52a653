"""captum's gradient of a text's loss at its embeddings, one text after another: `one_at_a_time.py FOLDER THREADS`.

Each line of standard input is a JSON list of texts; the answer is a line with seconds, processor seconds and of each
text the norm at each token. benchmarks/corpora/survey_speed.py asks.
"""

import json
import sys
import time
from typing import Any

import torch
from captum.attr import Saliency
from transformers import AutoModelForCausalLM, AutoTokenizer


def norms(net: Any, ids: torch.Tensor) -> list[float]:
    """The norm at each token of the gradient of the mean negative log-probability of the tokens after the first."""

    def loss(embeddings: torch.Tensor) -> torch.Tensor:
        logs = net(inputs_embeds=embeddings, use_cache=False).logits[:, :-1].log_softmax(-1)
        return -logs.gather(-1, ids[:, 1:, None]).mean((1, 2))

    embeddings = net.get_input_embeddings()(ids).detach()
    found: list[float] = Saliency(loss).attribute(embeddings, abs=False)[0].norm(dim=-1).tolist()
    return found


def main() -> None:
    folder, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for line in sys.stdin:
        texts = json.loads(line)
        begun, worked = time.perf_counter(), time.process_time()
        scores = [norms(net, tokenizer(text, return_tensors="pt")["input_ids"]) for text in texts]
        spent = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - worked}
        sys.stdout.write(json.dumps({**spent, "scores": scores}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
