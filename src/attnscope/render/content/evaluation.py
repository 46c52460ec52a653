"""What every picture of an evaluation says: the order of methods, which lines stand out, figures."""

from dataclasses import dataclass

from attnscope.results.evaluation import YARDSTICK, Evaluation, Standing

# Lines that stand out beside the yardstick: more than a handful no eye keeps apart. Blue, vermilion, green, purple keep
# apart for every colour vision (Okabe and Ito).
LINES = {False: ("#0072b2", "#d55e00", "#00795a", "#a0478a"), True: ("#56b4e9", "#f08a3c", "#3fc79a", "#dd8fc0")}
MARKS = {"better": "▲", "worse": "▼", "": ""}
READING = (
    f"Means over texts with 95 % bootstrap intervals. {MARKS['better']} better and {MARKS['worse']} worse than "
    f"{YARDSTICK} scores on the same texts: p < 0.05 in a paired randomisation test, corrected for all methods (Holm). "
    "Methods stand by their mean place over the faithfulness metrics."
)


@dataclass(frozen=True)
class Plot:
    """One curve of all methods. best: those that stand out, the best first; better: which way is good."""

    name: str
    title: str
    better: str
    best: tuple[str, ...]


def plots(result: Evaluation) -> list[Plot]:
    """The curves that the rows have."""
    titles = {
        "deletion": "The strongest words go first",
        "insertion": "The strongest words come first",
    }
    # The same methods in all of them, so that a colour means the same.
    best = tuple(method for method in ranked(result) if method != YARDSTICK)[: len(LINES[False])]
    found = []
    for name in result.curve_names:
        found.append(Plot(name, titles.get(name, name), "lower" if name == "deletion" else "higher", best))
    return found


def ranked(result: Evaluation) -> list[str]:
    """Methods by their mean place over the faithfulness metrics that rank them, the best first; then by name."""
    places: dict[str, list[float]] = {method: [] for method in result.methods}
    metrics = [m for m in result.metrics if result.settings["metrics"][m]["asks"] == "faithfulness"]
    for metric in metrics or result.metrics:
        standings = result.standings(metric)
        for place, one in enumerate(standings):
            places[one.method].append(place / max(1, len(standings) - 1))
    return sorted(places, key=lambda m: (sum(places[m]) / len(places[m]) if places[m] else 2.0, m))


def cell(one: Standing) -> tuple[str, str]:
    """A standing's mean with its mark, and its interval."""
    return f"{one.mean:.3f}{MARKS[one.verdict]}", f"{one.low:.3f} to {one.high:.3f}"


def facts(result: Evaluation) -> list[tuple[str, str]]:
    """What was measured, in pairs of name and value."""
    found = [("model", str(result.settings.get("model", "—"))), ("texts", f"{result.texts:,}")]
    found += [
        ("methods", f"{len(result.methods)}"),
        ("words taken away by", str(result.settings.get("replacement", "—"))),
    ]
    if result.accuracy is not None:
        found.append(("model is right on", f"{result.accuracy:.1%}"))
    return found
