"""Agreements and per-token results on axes."""

import io
from dataclasses import replace

from drawn_results import RESULTS, agreement_of, per_token

from attnscope.render.figure import plot


def test_a_dollar_in_a_name_starts_no_mathematics_on_a_users_figure() -> None:
    wrong = r"a $\frac{_$ b"
    found = agreement_of()
    made = per_token(replace(RESULTS["quotes"], method=wrong))
    for ax in (*plot.agreement(replace(found, names=(wrong, "b", "c"))), plot.per_token(made)):
        ax.figure.savefig(io.BytesIO())
