"""How much each head's attention says about what an answer relied on: a small file, learnt once a model."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from attnscope.errors import DamagedFileError
from attnscope.results.files.reading import NUMBER, checked, checked_tuple, damage, encoded, parsed, text_of
from attnscope.results.files.writing import write_atomically

_TYPE = "head_weights"


@dataclass(frozen=True)
class HeadWeights:
    """A weight for each head, in nats of effect for all of its attention.

    model:   the model's name. layers: (layer, how many heads), in order. weights: of all heads, layer by layer.
    learnt_from: how many questions. r_squared: the share of the effects' variance that is predicted for questions
             left out of the fit, one at a time; below 0 where that is worse than no prediction.

    >>> heads = tuple((layer, 9) for layer in range(30))
    >>> equal = ats.HeadWeights("SmolLM2", heads, (1.0,) * 270, learnt_from=24, r_squared=0.4)
    >>> equal.save("heads.json")
    >>> ats.HeadWeights.load("heads.json") == equal
    True
    """

    model: str
    layers: tuple[tuple[int, int], ...]
    weights: tuple[float, ...]
    learnt_from: int
    r_squared: float
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if sum(heads for _, heads in self.layers) != len(self.weights):
            raise ValueError(f"there are {len(self.weights)} weights for {sum(h for _, h in self.layers)} heads")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as JSON, whole or not at all."""
        data = {
            "type": _TYPE, "model": self.model, "layers": [list(layer) for layer in self.layers],
            "weights": list(self.weights), "learnt_from": self.learnt_from, "r_squared": self.r_squared,
            "provenance": dict(self.provenance),
        }  # fmt: skip
        write_atomically(path, encoded(json.dumps(data, ensure_ascii=False, allow_nan=False)))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote. Raises FileNotFoundError, or DamagedFileError saying what is wrong with the file."""
        data = parsed(text_of(path), str(path))
        if not isinstance(data, dict) or data.get("type") != _TYPE:
            raise DamagedFileError(f"{path} has no weights of heads: give a file that HeadWeights.save wrote")
        with damage(str(path)):
            body = checked(
                data,
                {"model": (str,), "layers": (list,), "weights": (list,), "learnt_from": (int,), "r_squared": NUMBER,
                 "provenance": (dict,)},
                "the weights of heads",
            )  # fmt: skip
            layers = []
            for pair in body["layers"]:
                layer, heads = checked_tuple(pair, (int,), "a layer", 2)
                layers.append((layer, heads))
            weights = tuple(float(x) for x in checked_tuple(body["weights"], NUMBER, "weights"))
            return cls(
                body["model"], tuple(layers), weights, body["learnt_from"], body["r_squared"], body["provenance"]
            )
