"""The area under the deletion curve (MoRF)."""

from attnscope.metrics.curves import area, deletion
from attnscope.metrics.question import Asking, Case


def deletion_area(case: Case) -> Asking:
    """The area under p(y) while the strongest words go one by one, 0 to 1; lower is better.

    Most relevant first (MoRF; Samek et al. 2017, arXiv:1509.06321; Petsiuk et al. 2018, arXiv:1806.07421). It misleads
    as `comprehensiveness` does.
    """
    return area((yield from deletion(case)))
