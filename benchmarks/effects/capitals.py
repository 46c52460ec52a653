"""In which layers the name of a country reaches the last token of a question for its capital."""

from typing import Any

import numpy as np

import attnscope as ats
from attnscope.render.figure.look import Look
from attnscope.results.statistics import interval
from effects.rows import LINES, MODELS, Rows, drawn, labels, spread, table

CAPITALS = {
    "France": "Paris", "Japan": "Tokyo", "Italy": "Rome", "Germany": "Berlin", "Spain": "Madrid", "Russia": "Moscow",
    "China": "Beijing", "Egypt": "Cairo", "Greece": "Athens", "Austria": "Vienna", "England": "London",
    "Ireland": "Dublin", "Portugal": "Lisbon", "Poland": "Warsaw", "Cuba": "Havana", "Peru": "Lima", "Iran": "Tehran",
    "Iraq": "Baghdad", "Turkey": "Ankara", "Sweden": "Stockholm", "Norway": "Oslo", "Finland": "Helsinki",
    "Denmark": "Copenhagen", "Hungary": "Budapest", "Belgium": "Brussels", "Canada": "Ottawa", "Kenya": "Nairobi",
    "Afghanistan": "Kabul", "Albania": "Tirana", "Algeria": "Algiers", "Argentina": "Buenos Aires",
    "Armenia": "Yerevan", "Australia": "Canberra", "Bangladesh": "Dhaka", "Bulgaria": "Sofia", "Chile": "Santiago",
    "Colombia": "Bogotá", "Croatia": "Zagreb", "Cyprus": "Nicosia", "Ecuador": "Quito", "Estonia": "Tallinn",
    "Ethiopia": "Addis Ababa", "Georgia": "Tbilisi", "Ghana": "Accra", "Iceland": "Reykjavik", "India": "New Delhi",
    "Indonesia": "Jakarta", "Israel": "Jerusalem", "Jamaica": "Kingston", "Jordan": "Amman", "Latvia": "Riga",
    "Lebanon": "Beirut", "Libya": "Tripoli", "Lithuania": "Vilnius", "Malaysia": "Kuala Lumpur", "Mongolia":
    "Ulaanbaatar", "Morocco": "Rabat", "Nepal": "Kathmandu", "Pakistan": "Islamabad", "Philippines": "Manila",
    "Qatar": "Doha", "Romania": "Bucharest", "Scotland": "Edinburgh", "Serbia": "Belgrade", "Slovakia": "Bratislava",
    "Syria": "Damascus", "Taiwan": "Taipei", "Thailand": "Bangkok", "Tunisia": "Tunis", "Ukraine": "Kyiv",
    "Uruguay": "Montevideo", "Venezuela": "Caracas", "Vietnam": "Hanoi", "Wales": "Cardiff",
}  # fmt: skip
WINDOW = 9
# What the last token may not look at; None: the country.
WORDS: dict[str, str | int | None] = {"country": None, "“capital”": "capital", "first token": 0}


def question(country: str) -> dict[str, Any]:
    """As `knock_out` and others take it."""
    return {"text": f"The capital of {country} is the city of", "target": f" {CAPITALS[country]}"}


def items(_model: ats.Model, count: int) -> list[str]:
    """The countries."""
    return list(CAPITALS)[:count]


def measure(model: ats.Model, country: str) -> dict[str, Any]:
    """The capital's place among what may come next; where it is the first, what it loses by each word and layer."""
    asked = question(country)
    words = {name: country if word is None else word for name, word in WORDS.items()}
    cut = {
        name: ats.knock_out(model, **asked, edges=[(-1, word)], quantity="probability") for name, word in words.items()
    }
    first = next(iter(cut.values()))
    place = next(one for one in first.ranking if asked["target"].startswith(one.text)).place_before
    row: dict[str, Any] = {"country": country, "place": place, "value": first.before}
    if place == 1:
        row["all"] = [one.effect for one in cut.values()]
        found = ats.edge_effects(
            model, [asked["text"]], [asked["target"]], words={name: [word] for name, word in words.items()},
            query=-1, quantity="probability", window=WINDOW,
        )  # fmt: skip
        row |= {"layers": list(found.layers), "windows": found.effect.tolist()}
    return row


def report(rows: Rows) -> str:
    """What the probability of the capital loses by windows of layers, and the figure."""
    parts = []
    for model, found in rows.items():
        known = _known(found)
        whole, share = _lost(known)
        parts.append(
            f"{MODELS[model][0]} has {len(known)} of {len(found)} capitals in the first place. Of their probability, "
            f"{spread([row['value'] for row in known], '.2f')}, it loses, in %, when the last token may not look at a "
            f"word in {WINDOW} layers around one:"
        )
        layers = known[0]["layers"]
        lines = [
            [str(layers[j]), *(spread(share[:, i, j], "+.0f") for i in range(len(WORDS)))]
            for j in range(0, len(layers), 3)
        ]
        lines.append(["all layers", *(spread(whole[:, i], "+.0f") for i in range(len(WORDS)))])
        parts.append(table(["layer", *WORDS], lines))
    parts.append(drawn("capitals", (4.2 * len(rows), 3.2), len(rows), lambda look, axes, _: _draw(look, axes, rows)))
    return "\n\n".join(parts)


def _known(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["place"] == 1]


def _lost(known: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """In % of the probability: (text, word) in all layers at once, and (text, word, layer)."""
    values = np.array([row["value"] for row in known])[:, None, None]
    whole, windows = (np.array([row[name] for row in known]) for name in ("all", "windows"))
    return 100 * whole / values[..., 0], 100 * windows / values


def _draw(look: Look, axes: Any, rows: Rows) -> None:
    for ax, (model, found) in zip(axes, rows.items(), strict=True):
        known = _known(found)
        _, share = _lost(known)
        for i, word in enumerate(WORDS):
            low, high = interval(share[:, i])
            ax.fill_between(known[0]["layers"], low, high, color=LINES[i], alpha=0.2, linewidth=0)
            ax.plot(known[0]["layers"], share[:, i].mean(0), color=LINES[i], linewidth=1.2, label=word)
        ax.axhline(0, color=look.colours.muted, linewidth=0.5)
        labels(look, ax, f"{MODELS[model][0]}, n = {len(known)}", f"middle of {WINDOW} layers", "probability lost (%)")
