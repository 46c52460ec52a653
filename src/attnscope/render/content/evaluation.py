"""What every picture of an evaluation says: the order of methods, which lines stand out, numbers."""

from dataclasses import dataclass

from attnscope.results.evaluation import YARDSTICK, Evaluation, Standing
from attnscope.text.visible import model_name
from attnscope.translation import say, told

# Colours of the lines that stand out beside the yardstick: nobody can tell more than a handful apart. Blue, vermilion,
# green and purple can be told apart by every colour vision (Okabe and Ito).
LINES = {False: ("#0072b2", "#d55e00", "#00795a", "#a0478a"), True: ("#56b4e9", "#f08a3c", "#3fc79a", "#dd8fc0")}
MARKS = {"better": "▲", "worse": "▼", "": ""}


def reading() -> str:
    """How the leaderboard is read."""
    return say(
        "Means over texts with 95 % bootstrap intervals. {better} better and {worse} worse than {yardstick} scores on "
        "the same texts: p < 0.05 in a paired randomisation test, corrected for all methods and metrics (Holm). Random "
        "scores are the mean of ten orders of each text's words. Methods are ordered by their mean rank over the "
        "faithfulness metrics.",
        better=MARKS["better"],
        worse=MARKS["worse"],
        yardstick=YARDSTICK,
    )


@dataclass(frozen=True)
class Plot:
    """A plot of one curve for all methods. best: the methods that stand out, the best first; better: which is good."""

    name: str
    title: str
    better: str
    best: tuple[str, ...]


def plots(result: Evaluation) -> list[Plot]:
    """The curves that the rows have."""
    titles = {
        "deletion": say("The strongest words go first"),
        "insertion": say("The strongest words come first"),
    }
    # The same methods in all plots, so that a colour means the same method everywhere.
    best = tuple(method for method in ranked(result) if method != YARDSTICK)[: len(LINES[False])]
    return [
        Plot(name, titles.get(name, name), "lower" if name == "deletion" else "higher", best)
        for name in result.curve_names
    ]


def ranked(result: Evaluation) -> list[str]:
    """Methods by their mean rank over the faithfulness metrics that rank them, the best first; then by name."""
    places: dict[str, list[float]] = {method: [] for method in result.methods}
    metrics = [m for m in result.metrics if result.settings["metrics"][m]["asks"] == "faithfulness"]
    for metric in metrics or result.metrics:
        standings = result.standings(metric)
        for place, standing in enumerate(standings):
            places[standing.method].append(place / max(1, len(standings) - 1))
    return sorted(places, key=lambda m: (sum(places[m]) / len(places[m]) if places[m] else 2.0, m))


def cell(standing: Standing) -> tuple[str, str]:
    """A standing's mean with its mark, and its interval."""
    return f"{standing.mean:.3f}{MARKS[standing.verdict]}", say(
        "{low} to {high}", low=f"{standing.low:.3f}", high=f"{standing.high:.3f}"
    )


def quantity(result: Evaluation) -> str:
    """What the curves show."""
    return told(str(result.settings.get("quantity") or "probability of the label"))


def facts(result: Evaluation) -> list[tuple[str, str]]:
    """What was measured, as pairs of name and value."""
    few = f" ({told(result.caution)})" if result.caution else ""
    model = model_name(str(result.settings.get("model", "—")))
    pairs = [(say("model"), model), (say("texts"), f"{result.texts:,}{few}")]
    pairs.append((say("methods"), f"{len(result.methods)}"))
    pairs.append((say("words taken away by"), told(str(result.settings.get("replacement", "—")))))
    if result.accuracy is not None:
        pairs.append((say("model is right on"), f"{result.accuracy:.1%}"))
    return pairs
