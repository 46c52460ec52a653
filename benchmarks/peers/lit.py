"""LIT with a causal model: `python lit.py FOLDER PORT TEXT`, in the peers' environment. It serves until it is stopped.

FOLDER holds a checkpoint. The model gives the gradient of the likeliest next token's log-probability at the embeddings,
of which LIT's own "Grad L2 Norm" makes importance: what the playground shows by `gradient`.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import lit_nlp
import torch
import transformers
from lit_nlp import dev_server
from lit_nlp.api import dataset, layout, model, types
from lit_nlp.components import gradient_maps


class Continued(model.BatchedModel):
    def __init__(self, folder: str) -> None:
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.net = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.net.requires_grad_(False)

    def input_spec(self) -> Any:
        return {"text": types.TextSegment()}

    def output_spec(self) -> Any:
        return {"tokens": types.Tokens(parent="text"), "gradients": types.TokenGradients(align="tokens")}

    def predict_minibatch(self, inputs: Iterable[Any]) -> list[Any]:
        return [self._one(each["text"]) for each in inputs]

    def _one(self, text: str) -> Any:
        ids = self.tokenizer(text, return_tensors="pt")["input_ids"]
        leaf = self.net.get_input_embeddings()(ids).detach().requires_grad_()
        logits = self.net(inputs_embeds=leaf, use_cache=False, logits_to_keep=1).logits[0, -1]
        (gradient,) = torch.autograd.grad(logits.log_softmax(-1).max(), leaf)
        tokens = [self.tokenizer.decode([token]) for token in ids[0].tolist()]
        return {"tokens": tokens, "gradients": gradient[0].numpy()}


def main() -> None:
    folder, port, text = sys.argv[1:]
    modules = layout.LitModuleName
    shown = layout.LitCanonicalLayout(
        upper={"Text": [modules.DatapointEditorModule]}, lower={"Importance": [modules.SalienceMapModule]}
    )
    dev_server.Server(
        {"model": Continued(folder)},
        {"texts": dataset.Dataset({"text": types.TextSegment()}, [{"text": text}])},
        interpreters={"Grad L2 Norm": gradient_maps.GradientNorm()},
        layouts={"short": shown},
        default_layout="short",
        client_root=str(Path(lit_nlp.__file__).with_name("client") / "build" / "default"),
        host="127.0.0.1",
        port=int(port),
    ).serve()


if __name__ == "__main__":
    main()
