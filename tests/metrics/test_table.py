"""METRICS says what it is about, and its docstrings say the same."""

import re

import attnscope as ats
from attnscope.metrics.table import CURVES, METRICS


def test_every_metric_has_its_name_direction_and_paper_in_its_function() -> None:
    for name, metric in METRICS.items():
        document = metric.run.__doc__ or ""
        assert f"{metric.better} is better" in document.splitlines()[0], name
        assert metric.paper in document, name
        assert metric.run.__name__ == name
        assert metric.run.__module__ == f"attnscope.metrics.{metric.asks}", name


def test_every_metric_says_its_range_or_unit() -> None:
    for name, metric in METRICS.items():
        assert re.search(r"from -?\d|above 0|in nats|\b0 to 1", metric.run.__doc__ or "", re.IGNORECASE), name


def test_what_a_saved_evaluation_says_of_a_metric() -> None:
    assert METRICS["human_correlation"].facts() == {
        "better": "higher",
        "asks": "people",
        "value": "rank correlation with human importance",
        "paper": "arXiv:2009.13295",
    }


def test_the_table_is_public_and_has_both_curves() -> None:
    assert ats.METRICS is METRICS
    assert list(CURVES) == ["deletion", "insertion"]
