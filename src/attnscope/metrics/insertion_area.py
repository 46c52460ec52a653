"""The area under the insertion curve, which is also that of taking the least relevant away first (LeRF)."""

from attnscope.metrics.curves import area, insertion
from attnscope.metrics.question import Asking, Case


def insertion_area(case: Case) -> Asking:
    """The area under p(y) while the strongest words come first into a text without words, 0 to 1; higher is better.

    Read backwards the weakest words go first (LeRF): the same area (Petsiuk et al. 2018, arXiv:1806.07421). It misleads
    as `sufficiency` does.
    """
    return area((yield from insertion(case)))
