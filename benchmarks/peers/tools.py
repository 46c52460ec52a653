"""A tool on a task, in a process and an environment of its own: `python tools.py TOOL CASE TASK OUT` (see table.py).

Prints as JSON: processor seconds and extra memory (how far the peak of the process rises above the loaded model and the
same on a short text), or what the case is about. One thread, so that a busy machine changes nothing.
"""

import importlib
import json
import logging
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

LAYER, HEAD = 15, 7
SHORT = "A short text."


def peak_mb() -> float:
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


class Plain:
    """What the other tools are given: a model and its tokenizer, as transformers loads them."""

    eager = False
    has: tuple[str, ...] = ()

    def __init__(self, folder: str) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        chosen = {"attn_implementation": "eager"} if self.eager else {}
        self.net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **chosen).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def ids(self, text: str) -> Any:
        return self.tokenizer(text, return_tensors="pt")["input_ids"]


class Attnscope:
    has = ("attention", "gradient", "page", "labels")

    def __init__(self, folder: str) -> None:
        import attnscope as ats

        self.ats, self.model = ats, ats.load(folder, dtype=torch.float32)
        self.net = self.model.model

    def attention(self, text: str, layer: int, head: int) -> Any:
        return self.ats.attention_maps(self.model, text, layers=[layer], heads=[head])

    def gradient(self, text: str, target: str) -> Any:
        return self.ats.explain(self.model, text, method="gradient", target=target)

    def page(self, text: str, target: str, out: Path) -> None:
        self.ats.save(self.gradient(text, target), out)

    def labels(self, text: str, target: str) -> list[str]:
        return [word.text for word in self.gradient(text, target).words]


class Bertviz(Plain):
    has = ("attention", "page", "labels")
    eager = True

    def attention(self, text: str, layer: int, head: int) -> Any:
        with torch.no_grad():
            return self.net(self.ids(text), output_attentions=True).attentions[layer][0, head]

    def page(self, text: str, _target: str, out: Path) -> None:
        from bertviz import head_view

        with torch.no_grad():
            attentions = self.net(self.ids(text), output_attentions=True).attentions
        out.write_text(head_view(attentions[LAYER : LAYER + 1], self.labels(text), html_action="return").data, "utf-8")

    def labels(self, text: str, _target: str = "") -> list[str]:
        return list(self.tokenizer.convert_ids_to_tokens(self.ids(text)[0]))


class Attnread(Plain):
    has = ("attention",)

    def attention(self, text: str, layer: int, head: int) -> Any:
        from attnread import extract_attention

        self.net.requires_grad_(False)
        found = extract_attention(self.net, self.tokenizer(text, return_tensors="pt"), heads=[(layer, head)])
        return found["text", layer, head]


class Captum(Plain):
    has = ("gradient", "page", "labels")

    def gradient(self, text: str, target: str) -> Any:
        from captum.attr import LayerGradientXActivation, LLMGradientAttribution, TextTokenInput

        explainer = LLMGradientAttribution(
            LayerGradientXActivation(self.net, self.net.get_input_embeddings()), self.tokenizer
        )
        return explainer.attribute(TextTokenInput(text, self.tokenizer), target=self.ids(target)[0])

    def page(self, text: str, target: str, out: Path) -> None:
        from captum.attr import visualization

        found = self.gradient(text, target)
        record = visualization.VisualizationDataRecord(
            found.seq_attr, 1.0, target, target, target, float(found.seq_attr.sum()), found.input_tokens, 0.0
        )
        out.write_text(visualization.visualize_text([record]).data, "utf-8")

    def labels(self, text: str, target: str) -> list[str]:
        return list(self.gradient(text, target).input_tokens)


class Inseq(Plain):
    has = ("attention", "gradient", "page", "labels")
    method = "saliency"

    def __init__(self, folder: str) -> None:
        import inseq

        logging.disable(logging.WARNING)
        super().__init__(folder)
        # Reads attention from eager attention only.
        if self.method == "attention":
            self.net.set_attn_implementation("eager")
        self.model = inseq.load_model(self.net, self.method, tokenizer=self.tokenizer)

    def _found(self, text: str, target: str, **options: Any) -> Any:
        return self.model.attribute(text, generated_texts=text + target, show_progress=False, **options)

    def gradient(self, text: str, target: str) -> Any:
        return self._found(text, target)

    def page(self, text: str, target: str, out: Path) -> None:
        out.write_text(self._found(text, target).show(display=False, return_html=True), "utf-8")

    def labels(self, text: str, target: str) -> list[str]:
        found = self._found(text, target)[0]
        return [token.token for token in found.target[: found.attr_pos_start]]


class InseqAttention(Inseq):
    method = "attention"

    def attention(self, text: str, _layer: int, _head: int) -> Any:
        return self._found(text, " the")


class Interpreto(Plain):
    has = ("gradient", "page", "labels")

    def gradient(self, text: str, target: str) -> Any:
        from interpreto import Saliency

        return Saliency(self.net, self.tokenizer, input_x_gradient=False)(text, target)[0]

    def page(self, text: str, target: str, out: Path) -> None:
        from interpreto import plot_attributions

        plot_attributions(self.gradient(text, target), save_path=str(out))

    def labels(self, text: str, target: str) -> list[str]:
        found = self.gradient(text, target)
        return [str(element) for element in found.elements][: -len(found.attributions)]


class Lit:
    """LIT has no page of its own to write: a server shows it."""

    has = ("gradient", "labels")

    def __init__(self, folder: str) -> None:
        sys.path.insert(0, str(Path(__file__).parent))
        self.model = importlib.import_module("lit").Continued(folder)
        self.net = self.model.net

    def gradient(self, text: str, _target: str) -> Any:
        from lit_nlp.components.gradient_maps import GradientNorm

        inputs = [{"text": text}]
        return GradientNorm().run(inputs, self.model, None, list(self.model.predict(inputs)))

    def labels(self, text: str, _target: str) -> list[str]:
        return list(next(iter(self.model.predict([{"text": text}])))["tokens"])


TOOLS: dict[str, Callable[[str], Any]] = {
    "attnscope": Attnscope,
    "attnread": Attnread,
    "bertviz": Bertviz,
    "captum": Captum,
    "inseq": Inseq,
    "interpreto": Interpreto,
    "LIT": Lit,
}


def _made(tool: str, case: str, folder: str) -> Any:
    return InseqAttention(folder) if (tool, case) == ("inseq", "attention") else TOOLS[tool](folder)


def measured(tool: str, case: str, task: dict[str, Any]) -> dict[str, float]:
    """Seconds of processor and megabytes of one call, after one on a short text."""
    loaded = _made(tool, case, task["folder"])
    for parameter in loaded.net.parameters():
        parameter.detach().sum()  # weights are mapped from disk: now they are in memory
    rest = (LAYER, HEAD) if case == "attention" else (task["target"],)
    call = getattr(loaded, case)
    call(SHORT, *rest)
    before, worked = peak_mb(), time.process_time()
    call(task[case], *rest)
    return {"cpu": time.process_time() - worked, "extra_mb": peak_mb() - before}


def families(tool: str, task: dict[str, Any]) -> dict[str, Any]:
    """Of each tiny model: whether the tool's attention and gradient end without an error, or why not."""
    said: dict[str, Any] = {}
    for name, folder in task["families"].items():
        for case in ("attention", "gradient"):
            if case not in TOOLS[tool].has:  # type: ignore[attr-defined]
                continue
            try:
                loaded = _made(tool, case, folder)
                rest = (0, 0) if case == "attention" else (task["target"],)
                getattr(loaded, case)(SHORT, *rest)
                said[f"{name} {case}"] = True
            except Exception as error:
                said[f"{name} {case}"] = f"{type(error).__name__}: {error}"[:200]
    return said


def main() -> None:
    tool, case, path, out = sys.argv[1:]
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    task = json.loads(Path(path).read_text("utf-8"))
    if case in ("attention", "gradient"):
        found: Any = measured(tool, case, task)
    elif case == "families":
        found = families(tool, task)
    elif case == "page":
        TOOLS[tool](task["folder"]).page(task["gradient"], task["target"], Path(out))
        found = {"bytes": Path(out).stat().st_size}
    else:
        found = TOOLS[tool](task["folder"]).labels(task["japanese"], task["target"])
    sys.stdout.write("\n" + json.dumps(found, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
