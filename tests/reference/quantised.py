"""SmolLM2 with its weights in every form that runs on a CPU, beside the same weights as plain float32 numbers.

    python tests/reference/quantised.py [form ...]

prints the table of docs/weights.md: how far each method's scores are from those of the dequantised float32 model, as a
prints the table of docs/weights.md: how far each method's scores are from those of the dequantised float32 model, as a
"""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
import torch
import transformers as hf

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models.loading import bundled

TEXT = "The capital of Japan is"
# A package that transformers would import whenever it is there: fetched for these tests alone.
TORCHAO = "torchao==0.18.0 --hash=sha256:6540b148e40ba81cbd4de86392225a076a1591146e9cebb099b3b234ba9feebe"
FORMS = (
    "bfloat16",
    "float16",
    "bitsandbytes 8-bit",
    "bitsandbytes nf4",
    "bitsandbytes fp4, nested scales",
    "torchao int8",
    "torchao int8, int8 inputs",
    "torch qint8",
)
METHODS = (
    "gradient", "gradient_x_input", "integrated_gradients", "gim", "rollout", "attention_gradient", "value_norm",
    "value_zeroing", "deletion",
)  # fmt: skip
COLUMNS = ("attention", "maps", *METHODS, "generation")


def quantised(form: str) -> Any:
    """The bundled model with its weights in that form."""
    dtype = {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(form, torch.float32)
    config = None
    if form == "bitsandbytes 8-bit":
        config = hf.BitsAndBytesConfig(load_in_8bit=True)
    elif form.startswith("bitsandbytes"):
        config = hf.BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=form.split()[1].rstrip(","),
            bnb_4bit_use_double_quant="nested" in form,
        )
    net = hf.AutoModelForCausalLM.from_pretrained(bundled.folder(), dtype=dtype, quantization_config=config).eval()
    if form.startswith("torchao"):
        sys.path.append(str(bundled.converted("test-torchao", TORCHAO, lambda unpacked, out: unpacked.rename(out))))
        torchao = import_module("torchao.quantization")
        which = "Int8DynamicActivationInt8WeightConfig" if "inputs" in form else "Int8WeightOnlyConfig"
        torchao.quantize_(net, getattr(torchao, which)())
    if form == "torch qint8":
        net = torch.ao.quantization.quantize_dynamic(net, {torch.nn.Linear}, dtype=torch.qint8)
    return net


def dequantised(net: torch.nn.Module) -> Any:
    """The bundled model in float32 with the numbers that these weights stand for."""
    plain = hf.AutoModelForCausalLM.from_pretrained(bundled.folder(), dtype=torch.float32).eval()
    # The head of a quantised model may have numbers of its own.
    plain.lm_head.weight = torch.nn.Parameter(plain.lm_head.weight.detach().clone())
    with torch.no_grad():
        for name, numbers in _numbers(net):
            plain.get_submodule(name).weight.copy_(numbers)
    return plain


def _numbers(net: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    for name, module in net.named_modules():
        weight: Any = module._parameters.get("weight")
        if type(module).__module__.startswith("torch.ao.nn.quantized") and callable(getattr(module, "weight", None)):
            yield name, module.weight().dequantize()
        elif weight is None:
            continue
        elif hasattr(weight, "quant_state"):
            from bitsandbytes.functional import dequantize_4bit

            yield name, dequantize_4bit(weight.data, weight.quant_state)
        elif hasattr(weight, "SCB"):
            yield name, weight.data.float() * weight.SCB[:, None] / 127
        else:
            yield name, weight.dequantize() if type(weight).__module__.startswith("torchao") else weight.data


def by_plain_autograd(net: Any, model: ats.Model) -> np.ndarray:
    """(token,) The norms of the loss's gradients at the embeddings, without attnscope."""
    ids = torch.tensor([model.tokenizer(TEXT)["input_ids"]])
    embeddings = net.get_input_embeddings()(ids).detach().requires_grad_()
    net(inputs_embeds=embeddings, labels=ids).loss.backward()
    return embeddings.grad[0].float().norm(dim=-1).numpy()


def calls(model: ats.Model) -> dict[str, Callable[[], Any]]:
    steps = {"integrated_gradients": {"steps": 8}}
    return {
        "attention": lambda: ats.attention(model, TEXT, layer=12, head=3, query=-1).token_scores,
        "maps": lambda: ats.attention_maps(model, TEXT).weights(12, 3),
        **{
            name: lambda name=name: ats.explain(model, TEXT, method=name, **steps.get(name, {})).token_scores
            for name in METHODS
        },
        "generation": lambda: ats.explain(model, TEXT, method="deletion", generate=3).token_scores,
    }


def measured(form: str) -> dict[str, float | str]:
    """Column → how far off, as a share of the largest score, or the refusal; and the gradient beside plain autograd."""
    tokenizer = hf.AutoTokenizer.from_pretrained(bundled.folder())
    net = quantised(form)
    exact = calls(ats.Model(dequantised(net), tokenizer))
    model = ats.Model(net, tokenizer)
    found: dict[str, float | str] = {}
    for column, call in calls(model).items():
        try:
            scores = np.asarray(call(), float)
        except ModelError as error:
            found[column] = str(error)
            continue
        expected = np.asarray(exact[column](), float)
        found[column] = float(np.abs(scores - expected).max() / np.abs(expected).max())
        if column == "gradient":
            plain = by_plain_autograd(quantised(form), model)
            found["plain autograd"] = float(np.abs(scores - plain).max() / plain.max())
    return found


def _cell(value: float | str | None) -> str:
    if value is None or isinstance(value, str):
        return "refused" if value else "–"
    return "exact" if value < 1e-4 else f"{value:.1g}"


def main(forms: list[str]) -> None:
    columns = (*COLUMNS, "plain autograd")
    print(f"| weights | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")  # noqa: T201
    for form in forms or FORMS:
        found = measured(form)
        print(f"| {form} | {' | '.join(_cell(found.get(column)) for column in columns)} |", flush=True)  # noqa: T201
        for refusal in {value for value in found.values() if isinstance(value, str)}:
            print(f"  {refusal}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    torch.manual_seed(0)
    main(sys.argv[1:])
