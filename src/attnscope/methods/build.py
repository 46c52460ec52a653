"""What a method hands back: its numbers on the text's tokens and words, and how they were made."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from numpy.typing import NDArray

from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.base import Asked, Measured


def attribution(
    model: Model,
    encoded: Encoded,
    *,
    method: str,
    family: str,
    asked: Asked,
    measured: Measured,
    token_scores: NDArray[Any],
    word_scores: Sequence[float],
) -> Attribution:
    """The Attribution of these scores, shapes (token,) and (word,), with its provenance."""
    return Attribution(
        method=method,
        family=family,
        text=encoded.text,
        tokens=tuple(
            Token(t.text, t.start, t.end, t.special, float(score))
            for t, score in zip(encoded.tokens, token_scores, strict=True)
        ),
        words=tuple(
            Word(encoded.text[w.start : w.end], w.start, w.end, score)
            for w, score in zip(encoded.words, word_scores, strict=True)
        ),
        asked=asked,
        measured=measured,
        provenance=provenance(model),
    )


def provenance(model: Model) -> dict[str, Any]:
    """How a result was made: the model and the versions behind it."""
    return {
        "model": model.name,
        "revision": model.revision,
        "class": type(model.model).__name__,
        "dtype": str(model.model.dtype).removeprefix("torch."),
        "attention": model.model.config._attn_implementation,
        "attnscope": version("attnscope"),
        "torch": version("torch"),
        "transformers": version("transformers"),
    }
