"""Scores of lxt, captum and inseq on texts, in an environment of their own: `python scores.py TASKS OUT`.

TASKS holds {"folder", "kind": "causal" or "classifier", "texts": [{"text", "ids", "explained", "other"}]}. What is
explained is the logit of one label minus the other's: of tokens after the text, or of classes. OUT gets {method: [the
scores of each text's tokens]}.
"""

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

# (network, tokenizer, kind, one text of the tasks) -> the scores of its tokens.
Scorer = Callable[[Any, Any, str, dict[str, Any]], Tensor]


def contrast(logits: Tensor, kind: str, one: dict[str, Any]) -> Tensor:
    """(text, …, label) -> (text,)"""
    last = logits[:, -1] if kind == "causal" else logits
    return last[:, one["explained"]] - last[:, one["other"]]


def attnlrp(net: Any, _tokenizer: Any, kind: str, one: dict[str, Any]) -> Tensor:
    """Embedding times gradient, where lxt has put the rules of AttnLRP into the backward pass."""
    embeddings = net.get_input_embeddings()(torch.tensor([one["ids"]])).detach().requires_grad_()
    contrast(net(inputs_embeds=embeddings, use_cache=False).logits, kind, one).sum().backward()
    return (embeddings * embeddings.grad)[0].sum(-1).detach()


def integrated_gradients(net: Any, tokenizer: Any, kind: str, one: dict[str, Any]) -> Tensor:
    """captum's, along embeddings, with its 50 steps, from a text of padding."""
    from captum.attr import LayerIntegratedGradients

    explainer = LayerIntegratedGradients(lambda ids: contrast(net(ids).logits, kind, one), net.get_input_embeddings())
    ids = torch.tensor([one["ids"]])
    found = explainer.attribute(ids, baselines=torch.full_like(ids, tokenizer.pad_token_id or 0))
    return found[0].sum(-1).detach()


def kernel_shap(net: Any, tokenizer: Any, kind: str, one: dict[str, Any]) -> Tensor:
    """captum's, of 64 texts in which tokens are padding."""
    from captum.attr import KernelShap

    torch.manual_seed(0)
    ids = torch.tensor([one["ids"]])
    with torch.no_grad():
        explainer = KernelShap(lambda ids: contrast(net(ids).logits, kind, one))
        found = explainer.attribute(ids, baselines=tokenizer.pad_token_id or 0, n_samples=64)
    return found[0].float()


def saliency(net: Any, tokenizer: Any, _kind: str, one: dict[str, Any]) -> Tensor:
    """inseq's, of the difference of the two labels' probabilities."""
    import inseq

    logging.disable(logging.WARNING)
    explainer = inseq.load_model(net, "saliency", tokenizer=tokenizer)
    found = explainer.attribute(
        one["text"],
        generated_texts=one["text"] + tokenizer.decode([one["explained"]]),
        attributed_fn="contrast_prob_diff",
        contrast_targets=one["text"] + tokenizer.decode([one["other"]]),
        show_progress=False,
    )
    norms: Tensor = found.sequence_attributions[0].target_attributions[: len(one["ids"]), 0].float().norm(dim=-1)
    return norms


SCORERS: dict[str, dict[str, Scorer]] = {
    "causal": {
        "captum LayerIntegratedGradients": integrated_gradients,
        "captum KernelShap": kernel_shap,
        "inseq saliency": saliency,
    },
    "classifier": {
        "captum LayerIntegratedGradients": integrated_gradients,
        "captum KernelShap": kernel_shap,
    },
}


def patch_llama() -> None:
    """lxt's rules in every Llama from now on. Its BERT and its ViT do not load beside today's transformers."""
    from transformers.models.llama import modeling_llama

    sys.modules["lxt.efficient.models.bert"] = SimpleNamespace(modeling_bert="bert", attnLRP={})  # type: ignore[assignment]
    sys.modules["lxt.efficient.models.vit_torch"] = SimpleNamespace(vision_transformer="vit", cp_LRP={})  # type: ignore[assignment]
    from lxt.efficient import monkey_patch

    # It puts a plain dict in the place of the functions, which today's transformers ask for more than a dict has. The
    # eager one, which is used, is a function of the module, and patched there.
    functions = modeling_llama.ALL_ATTENTION_FUNCTIONS
    monkey_patch(modeling_llama)
    modeling_llama.ALL_ATTENTION_FUNCTIONS = functions


def main() -> None:
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(1)
    tasks = json.loads(Path(sys.argv[1]).read_text())
    kind = tasks["kind"]
    made = AutoModelForCausalLM if kind == "causal" else AutoModelForSequenceClassification
    tokenizer = AutoTokenizer.from_pretrained(tasks["folder"])

    def scored(scorers: dict[str, Scorer]) -> dict[str, list[list[float]]]:
        net = made.from_pretrained(tasks["folder"], dtype=torch.float32, attn_implementation="eager").eval()
        net.requires_grad_(False)
        net.get_input_embeddings().requires_grad_(True)
        return {
            name: [scorer(net, tokenizer, kind, one).tolist() for one in tasks["texts"]]
            for name, scorer in scorers.items()
        }

    found = scored(SCORERS[kind])
    if kind == "causal":
        patch_llama()  # changes every Llama of the process, so it comes last
        found |= scored({"lxt AttnLRP": attnlrp})
    Path(sys.argv[2]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
