"""What a method hands back: its numbers on the text's tokens and words, and how they were made."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from numpy.typing import NDArray

from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model
from attnscope.results.attribution import Attribution, Token, Word


def attribution(
    model: Model,
    encoded: Encoded,
    *,
    kind: str,
    method: str,
    parameters: Mapping[str, Any],
    token_scores: NDArray[Any],
    word_scores: Sequence[float],
    excluded_mass: float | None = None,
) -> Attribution:
    """The Attribution of these scores, shapes (token,) and (word,), with its provenance."""
    return Attribution(
        kind=kind,
        method=method,
        parameters=parameters,
        text=encoded.text,
        tokens=tuple(
            Token(t.text, t.start, t.end, t.special, float(score))
            for t, score in zip(encoded.tokens, token_scores, strict=True)
        ),
        words=tuple(
            Word(encoded.text[w.start : w.end], w.start, w.end, score)
            for w, score in zip(encoded.words, word_scores, strict=True)
        ),
        excluded_mass=excluded_mass,
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
