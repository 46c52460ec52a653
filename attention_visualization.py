"""Both visualisations on real text with the bundled model.

    python attention_visualization.py

writes attention_demo.html and gradient_attention_demo.html, each with a .png twin, into the current folder.
"""

from pathlib import Path

import attnscope as ats

LINES = 80


def visualize_attention_as_image_excluding_bos_eos(
    model_name: str | None,
    text: str,
    layer_index: int = -1,
    head_index: int = 0,
    query_token_index: int | None = None,
    font_path: str | None = None,
    font_size: int = 20,
    html_path: str | None = None,
    image_path: str | None = None,
    max_line_chars: int = 100,
) -> ats.Attribution:
    """Draw what one query token attends to (or the mean over all), without special tokens, as HTML and as an image.

    model_name:        hub id, folder or .gguf file; None for the bundled model.
    query_token_index: index into the model's input tokens; None for the mean over queries.
    html_path, image_path: where to write (the image as .png, .svg or .pdf); None skips that file.
    """
    result = ats.attention(ats.load(model_name), text, layer=layer_index, head=head_index, query=query_token_index)
    if html_path:
        ats.save(result, html_path, max_line_chars=max_line_chars)
    if image_path:
        ats.save(result, image_path, max_line_chars=max_line_chars, font=font_path, font_size=font_size)
    return result


def compute_attention_by_gradient(
    model_name: str | None,
    text: str,
    html_path: str | None = "gradient_attention_demo.html",
    max_line_chars: int = 80,
    do_group_subwords: bool = True,
) -> ats.Attribution:
    """Draw how strongly the model's loss on `text` reacts to each word, as background colour in HTML.

    do_group_subwords: sum the scores of a word's subwords; False colours each token separately.
    """
    result = ats.explain(ats.load(model_name), text, method="gradient")
    if not do_group_subwords:
        result = result.by_token()
    if html_path:
        ats.save(result, html_path, max_line_chars=max_line_chars)
    return result


# The model's beginning-of-text token comes first: it takes much of the attention, and is left out of the picture.
STORY = (
    "<|im_start|>Mary lived in a small house by the river. Every morning she walked to the old bridge, where John "
    "waited for her. One winter the bridge was gone, and Mary never saw him again."
)
# In this layer and head of the bundled model, the pronoun looks back at the person it stands for.
LAYER, HEAD, HIM = 15, 7, -3
PROMPT = (
    "Read the review and answer with positive or negative.\n"
    "Review: The plot is thin and the first hour drags, but the last scene is unforgettable.\n"
    "Answer: positive"
)


def main() -> None:
    """Write the two demonstrations and say where they are."""
    visualize_attention_as_image_excluding_bos_eos(
        None,
        STORY,
        layer_index=LAYER,
        head_index=HEAD,
        query_token_index=HIM,
        html_path="attention_demo.html",
        image_path="attention_demo.png",
        max_line_chars=LINES,
    )
    by_gradient = compute_attention_by_gradient(None, PROMPT, max_line_chars=LINES)
    ats.save(by_gradient, "gradient_attention_demo.png", max_line_chars=LINES, font_size=20)
    for name in ("attention_demo", "gradient_attention_demo"):
        print(f"open {Path(name).resolve()}.html  (picture: {name}.png)")


if __name__ == "__main__":
    main()
