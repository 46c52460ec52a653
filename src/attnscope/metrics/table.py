"""METRICS, the one table of metrics, and CURVES, the curves that an evaluation draws beside them.

To add a metric, write its formula in `faithfulness`, `sanity` or `people`, a row here, and its tests in tests/metrics.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from attnscope.metrics import faithfulness, people, sanity
from attnscope.metrics.faithfulness import ArrayGenerator
from attnscope.metrics.query import Explanation, MetricGenerator


@dataclass(frozen=True)
class Metric:
    """One row of METRICS.

    better: "higher" or "lower".
    asks:   "faithfulness" (does the model rely on these words), "sanity" (do the scores behave as they must), or
            "people" (do people point at the same words). It is also the name of the formula's module.
    value:  what a value means.
    """

    run: Callable[[Explanation], MetricGenerator | float]
    better: Literal["higher", "lower"]
    asks: Literal["faithfulness", "sanity", "people"]
    value: str
    paper: str

    def facts(self) -> dict[str, str]:
        """What a saved evaluation says about the metric."""
        return {"better": self.better, "asks": self.asks, "value": self.value, "paper": self.paper}


CURVES: dict[str, Callable[[Explanation], ArrayGenerator]] = {
    "deletion": faithfulness.deletion_curve,
    "insertion": faithfulness.insertion_curve,
}

METRICS: dict[str, Metric] = {
    "comprehensiveness": Metric(
        faithfulness.comprehensiveness,
        "higher",
        "faithfulness",
        "fall of the probability without the strongest words, over bins",
        "arXiv:1911.03429",
    ),
    "sufficiency": Metric(
        faithfulness.sufficiency,
        "lower",
        "faithfulness",
        "fall of the probability with the strongest words alone, over bins",
        "arXiv:1911.03429",
    ),
    "aopc": Metric(
        faithfulness.aopc,
        "higher",
        "faithfulness",
        "mean fall of the probability while the strongest words go one by one",
        "arXiv:1509.06321",
    ),
    "normalised_aopc": Metric(
        faithfulness.normalised_aopc,
        "higher",
        "faithfulness",
        "AOPC between the worst order and the best",
        "arXiv:2408.08137",
    ),
    "deletion_area": Metric(
        faithfulness.deletion_area,
        "lower",
        "faithfulness",
        "area under the probability while the strongest words go (MoRF)",
        "arXiv:1806.07421",
    ),
    "insertion_area": Metric(
        faithfulness.insertion_area,
        "higher",
        "faithfulness",
        "area under the probability while the strongest words come in (LeRF backwards)",
        "arXiv:1806.07421",
    ),
    "log_odds": Metric(
        faithfulness.log_odds,
        "lower",
        "faithfulness",
        "change of the log-probability without the strongest words, over bins, in nats",
        "arXiv:2010.00667",
    ),
    "top_drop": Metric(
        faithfulness.top_drop,
        "higher",
        "faithfulness",
        "fall of the log-probability without the 1, 3 and 5 strongest words, in nats",
        "arXiv:2409.00729",
    ),
    "lds": Metric(
        faithfulness.lds,
        "higher",
        "faithfulness",
        "rank correlation of the scores of random sets of words with what the model says on them",
        "arXiv:2303.14186",
    ),
    "soft_comprehensiveness": Metric(
        faithfulness.soft_comprehensiveness,
        "higher",
        "faithfulness",
        "share of the possible fall when words lose as much of their embeddings as they score",
        "arXiv:2305.10496",
    ),
    "soft_sufficiency": Metric(
        faithfulness.soft_sufficiency,
        "higher",
        "faithfulness",
        "one minus the share of the possible fall when words keep as much of their embeddings as they score",
        "arXiv:2305.10496",
    ),
    "completeness_error": Metric(
        sanity.completeness_error,
        "lower",
        "sanity",
        "share by which signed scores miss the change that they add up to",
        "arXiv:1703.01365",
    ),
    "sensitivity": Metric(
        sanity.sensitivity,
        "lower",
        "sanity",
        "largest relative change of the scores when embeddings move by 2 %",
        "arXiv:1901.09392",
    ),
    "randomisation": Metric(
        sanity.randomisation,
        "lower",
        "sanity",
        "rank correlation with the scores on shuffled weights, without its sign",
        "arXiv:1810.03292",
    ),
    "human_correlation": Metric(
        people.human_correlation, "higher", "people", "rank correlation with human importance", "arXiv:2009.13295"
    ),
    "human_precision": Metric(
        people.human_precision,
        "higher",
        "people",
        "average precision of the words that people mark",
        "arXiv:2009.13295",
    ),
    "human_overlap": Metric(
        people.human_overlap,
        "higher",
        "people",
        "intersection over union of the top words and those that people mark",
        "arXiv:1911.03429",
    ),
}
"""The metrics of `evaluate` by their names: whether higher or lower is better, what a value means, the paper.

>>> ats.METRICS["top_drop"].better, ats.METRICS["top_drop"].paper
('higher', 'arXiv:2409.00729')
"""
