"""All metrics of all explanations of one text, in rounds: the queries of a round are answered together."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.metrics.query import Explanation, Query, ScoresOn
from attnscope.metrics.table import CURVES, METRICS
from attnscope.studies.perturbed_text import PerturbedText

# A metric of one explanation: (the explanation's name, the metric's name or "curve NAME").
Key = tuple[str, str]
Running = Generator[Query, NDArray[np.float64], Any]
Rescore = Callable[[ScoresOn], NDArray[np.float64]]


def measure(
    explanations: Mapping[str, Explanation],
    metrics: Sequence[str],
    text: PerturbedText,
    rescore: Mapping[str, Rescore],
    curves: Sequence[str] | None = None,
) -> dict[Key, Any]:
    """The value of each metric and each curve (named "curve NAME") for each explanation.

    rescore: the function that answers ScoresOn, for each explanation. curves: by default all.
    """
    values: dict[Key, Any] = {}
    waiting: list[tuple[Key, Running, Query]] = []

    def resume(key: Key, metric: Running, answer: NDArray[np.float64] | None) -> None:
        try:
            # A generator is started by sending it None.
            query = metric.send(answer)  # type: ignore[arg-type]
        except StopIteration as end:
            values[key] = end.value
        else:
            waiting.append((key, metric, query))

    wanted = CURVES if curves is None else curves
    for name, explanation in explanations.items():
        started: dict[str, Any] = {metric: METRICS[metric].run(explanation) for metric in metrics}
        started |= {f"curve {curve}": CURVES[curve](explanation) for curve in wanted}
        for what, value in started.items():
            if isinstance(value, Generator):
                resume((name, what), value, None)
            else:
                values[name, what] = value
    while waiting:
        this_round, waiting = waiting, []
        answers = iter(text.answer([query for *_, query in this_round if not isinstance(query, ScoresOn)]))
        for key, metric, query in this_round:
            resume(key, metric, rescore[key[0]](query) if isinstance(query, ScoresOn) else next(answers))
    return values
