"""Faithfulness: METRICS is the table, one metric one file.

A metric is a formula on plain numbers (`metrics.case`); `metrics.evaluate` runs models and methods for it. To add one:
its file, one row here, and the tests of tests/metrics cover it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from attnscope.metrics.aopc import aopc
from attnscope.metrics.completeness_error import completeness_error
from attnscope.metrics.comprehensiveness import comprehensiveness
from attnscope.metrics.deletion_area import deletion_area
from attnscope.metrics.human_correlation import human_correlation
from attnscope.metrics.human_overlap import human_overlap
from attnscope.metrics.human_precision import human_precision
from attnscope.metrics.insertion_area import insertion_area
from attnscope.metrics.log_odds import log_odds
from attnscope.metrics.normalised_aopc import normalised_aopc
from attnscope.metrics.question import Asking, Case
from attnscope.metrics.randomisation import randomisation
from attnscope.metrics.sensitivity import sensitivity
from attnscope.metrics.soft_comprehensiveness import soft_comprehensiveness
from attnscope.metrics.soft_sufficiency import soft_sufficiency
from attnscope.metrics.sufficiency import sufficiency


@dataclass(frozen=True)
class Metric:
    """One row of METRICS.

    better: "higher" or "lower".
    asks:   "faithfulness" (is it what the model relies on), "sanity" (does it behave as it must), or "people".
    value:  what a value is.
    """

    run: Callable[[Case], Asking | float]
    better: Literal["higher", "lower"]
    asks: Literal["faithfulness", "sanity", "people"]
    value: str
    paper: str


METRICS: dict[str, Metric] = {
    "comprehensiveness": Metric(
        comprehensiveness,
        "higher",
        "faithfulness",
        "fall of the probability without the strongest words, over bins",
        "arXiv:1911.03429",
    ),
    "sufficiency": Metric(
        sufficiency,
        "lower",
        "faithfulness",
        "fall of the probability with the strongest words alone, over bins",
        "arXiv:1911.03429",
    ),
    "aopc": Metric(
        aopc,
        "higher",
        "faithfulness",
        "mean fall of the probability while the strongest words go one by one",
        "arXiv:1509.06321",
    ),
    "normalised_aopc": Metric(
        normalised_aopc, "higher", "faithfulness", "AOPC between the worst order and the best", "arXiv:2408.08137"
    ),
    "deletion_area": Metric(
        deletion_area,
        "lower",
        "faithfulness",
        "area under the probability while the strongest words go (MoRF)",
        "arXiv:1806.07421",
    ),
    "insertion_area": Metric(
        insertion_area,
        "higher",
        "faithfulness",
        "area under the probability while the strongest words come in (LeRF backwards)",
        "arXiv:1806.07421",
    ),
    "log_odds": Metric(
        log_odds,
        "lower",
        "faithfulness",
        "change of the log-probability without the strongest words, over bins, in nats",
        "arXiv:2010.00667",
    ),
    "soft_comprehensiveness": Metric(
        soft_comprehensiveness,
        "higher",
        "faithfulness",
        "share of the possible fall when words lose of their embeddings what they matter",
        "arXiv:2305.10496",
    ),
    "soft_sufficiency": Metric(
        soft_sufficiency,
        "higher",
        "faithfulness",
        "one minus the share of the possible fall when words keep of their embeddings what they matter",
        "arXiv:2305.10496",
    ),
    "completeness_error": Metric(
        completeness_error,
        "lower",
        "sanity",
        "share by which signed scores miss the change that they add up to",
        "arXiv:1703.01365",
    ),
    "sensitivity": Metric(
        sensitivity,
        "lower",
        "sanity",
        "largest relative change of the scores when embeddings move by 2 %",
        "arXiv:1901.09392",
    ),
    "randomisation": Metric(
        randomisation,
        "lower",
        "sanity",
        "rank correlation with the scores on shuffled weights, without its sign",
        "arXiv:1810.03292",
    ),
    "human_correlation": Metric(
        human_correlation, "higher", "people", "rank correlation with human importance", "arXiv:2009.13295"
    ),
    "human_precision": Metric(
        human_precision,
        "higher",
        "people",
        "average precision of the words that people mark",
        "arXiv:2009.13295",
    ),
    "human_overlap": Metric(
        human_overlap,
        "higher",
        "people",
        "intersection over union of the top words and those that people mark",
        "arXiv:1911.03429",
    ),
}
