"""docs/images/grey.png: figures in colour, and as a printer without colour prints them."""

import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread

import attnscope as ats
from attnscope.render import render

IMAGES = Path(__file__).parents[2] / "docs" / "images"
# Of sRGB, as a printer's driver weighs them.
WEIGHTS = np.array([0.299, 0.587, 0.114])


def main() -> None:
    """Draw a text, a signed text and all heads, in colour and in grey."""
    model = ats.load()
    text = "Marie was born in Lyon, studied in Berlin and now lives in Paris, the capital of"
    results = [
        ats.explain(model, text, method="gradient", target=" France"),
        ats.explain(model, text, method="occlusion", target=" France"),
        ats.attention_maps(model, text, layers=range(0, 30, 6)).words(),
    ]
    pictures = [imread(io.BytesIO(render(one, ".png", width="column", caption=False, scale=3))) for one in results]
    heights = [picture.shape[0] for picture in pictures]
    figure = Figure((6.75, 6.75 / 2 * sum(heights) / pictures[0].shape[1]), dpi=150, layout="constrained")
    axes = figure.subplots(len(pictures), 2, height_ratios=heights)
    for (colour, grey), picture in zip(axes, pictures, strict=True):
        colour.imshow(picture[..., :3], interpolation="lanczos")
        grey.imshow(picture[..., :3] @ WEIGHTS, cmap="gray", vmin=0, vmax=1, interpolation="lanczos")
        colour.axis("off")
        grey.axis("off")
    figure.savefig(IMAGES / "grey.png")


if __name__ == "__main__":
    main()
