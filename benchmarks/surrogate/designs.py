"""Which random texts a surrogate learns most from: designs compared on reviews.

    python surrogate/designs.py [--texts N] [--samples N] [--words SHORTEST LONGEST]

Of each design, averaged over texts: the rank correlation of its scores with those of 512 samples of another seed, and
the share of these scores' squared length that it misses. The classifier is that of sentiment.py.
"""

import argparse
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

import attnscope as ats
from attnscope.methods.perturbation import surrogate

sys.path.insert(0, str(Path(__file__).parent.parent))
import sentiment

KEPT = surrogate._halves


def independent(units: int, samples: int, seed: int) -> NDArray[np.bool_]:
    """Random halves, each of its own."""
    generator = np.random.default_rng(seed)
    present = np.zeros((samples, units), dtype=bool)
    for row in present:
        row[generator.permutation(units)[: -(-units // 2)]] = True
    return present


def antithetic(units: int, samples: int, seed: int) -> NDArray[np.bool_]:
    """Random halves, each followed by the other half."""
    first = independent(units, samples // 2, seed)
    return np.stack([first, ~first], 1).reshape(samples, units)


def coins(units: int, samples: int, seed: int) -> NDArray[np.bool_]:
    """Every unit by the toss of a coin, each text followed by its complement."""
    first = np.random.default_rng(seed).random((samples // 2, units)) < 0.5
    return np.stack([first, ~first], 1).reshape(samples, units)


def independent_balanced(units: int, samples: int, seed: int) -> NDArray[np.bool_]:
    """Each half as the balanced design draws it, without the other half."""
    return KEPT(units, 2 * samples, seed)[::2]


DESIGNS = {
    "independent": independent,
    "independent, balanced": independent_balanced,
    "coins": coins,
    "antithetic": antithetic,
    "antithetic, balanced": KEPT,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=40)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--words", type=int, nargs=2, default=(18, 22))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    model = sentiment.classifier()
    texts = [str(one.text) for one in sentiment.plain_samples(asked.texts, *asked.words)]
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in DESIGNS}
    for number, text in enumerate(texts):
        given: dict[str, Any] = {"method": "surrogate", "target": "positive", "replacement": "delete"}
        true = ats.explain(model, text, samples=512, seed=10_000 + number, **given).scores
        for name, design in DESIGNS.items():
            with patch.object(surrogate, "_halves", design):
                scores = ats.explain(model, text, samples=asked.samples, seed=number, **given).scores
            missed = ((scores - true) ** 2).sum() / (true**2).sum()
            found[name].append((float(spearmanr(scores, true).statistic), float(missed)))
    for name, rows in found.items():
        means, errors = np.mean(rows, 0), np.std(rows, 0, ddof=1) / np.sqrt(len(rows))
        sys.stdout.write(
            f"{name:22} rank correlation {means[0]:.3f} ± {errors[0]:.3f}, missed {means[1]:.3f} ± {errors[1]:.3f}\n"
        )


if __name__ == "__main__":
    main()
