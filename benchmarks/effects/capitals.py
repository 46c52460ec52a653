"""In which layers the name of a country reaches the last token of a question for its capital."""

from typing import Any

import attnscope as ats

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


def question(country: str) -> dict[str, str]:
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


def report(rows: Any) -> str:
    return str({model: len(of) for model, of in rows.items()})
