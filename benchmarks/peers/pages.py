"""Another tool's page of the same maps: `python pages.py TOOL MAPS.npy TOKENS.json OUT.html`, in its environment.

MAPS holds (layer, head, query, key). Prints how many seconds making and writing the page took.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

Maps = np.ndarray


def bertviz_model_view(maps: Maps, tokens: list[str]) -> str:
    import torch
    from bertviz import model_view

    html: str = model_view([torch.tensor(layer)[None] for layer in maps], tokens, html_action="return").data
    return html


def bertviz_head_view(maps: Maps, tokens: list[str]) -> str:
    import torch
    from bertviz import head_view

    html: str = head_view([torch.tensor(layer)[None] for layer in maps], tokens, html_action="return").data
    return html


def circuitsvis(maps: Maps, tokens: list[str]) -> str:
    from circuitsvis.attention import attention_heads

    names = [f"L{layer}H{head}" for layer in range(maps.shape[0]) for head in range(maps.shape[1])]
    html: str = attention_heads(maps.reshape(-1, *maps.shape[2:]), tokens, names).local_src
    return html


def attnview(maps: Maps, tokens: list[str]) -> str:
    from attnview import AttentionPattern, AttentionStudy, render_html

    layers = [AttentionPattern.from_data(layer, tokens=tokens) for layer in maps]
    html: str = render_html(AttentionStudy(tuple(layers), tuple(f"layer {i}" for i in range(len(layers)))))
    return html


TOOLS: dict[str, Callable[[Maps, list[str]], str]] = {
    "bertviz model view": bertviz_model_view,
    "bertviz head view": bertviz_head_view,
    "circuitsvis": circuitsvis,
    "attnview": attnview,
}


def main() -> None:
    tool, maps, tokens, out = sys.argv[1:]
    weights, names = np.load(maps), json.loads(Path(tokens).read_text("utf-8"))
    start = time.perf_counter()
    body = TOOLS[tool](weights, names)
    if "<html" not in body[:2000]:
        body = f'<!doctype html><meta charset="utf-8"><body>{body}'
    Path(out).write_text(body, "utf-8")
    sys.stdout.write(f"{time.perf_counter() - start}\n")


if __name__ == "__main__":
    main()
