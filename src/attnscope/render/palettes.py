"""The colour maps that the page of maps offers: the library's own, a blue one, and greys for print.

Each is a pair, for light and dark pages, and starts at the page's background, in even steps of OKLab lightness.
"""

from dataclasses import replace

from attnscope.render.colours import DARK, LIGHT, ColourMap

_STEPS = 64
_LAB = tuple[float, float, float]


def _ramp(*anchors: str) -> tuple[str, ...]:
    """64 colours through the anchors; their lightness runs evenly from the first to the last."""
    labs = [_to_oklab(anchor) for anchor in anchors]
    first, last = labs[0][0], labs[-1][0]
    steps = []
    for i in range(_STEPS):
        part = i / (_STEPS - 1)
        light = first + part * (last - first)
        # Find the two anchors that this lightness lies between, and where.
        place = next((j for j in range(1, len(labs) - 1) if (labs[j][0] - light) * (last - first) > 0), len(labs) - 1)
        a, b = labs[place - 1], labs[place]
        t = (light - a[0]) / (b[0] - a[0])
        steps.append(_to_hex((light, a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2]))))
    return (anchors[0], *steps[1:-1], anchors[-1])


def _to_oklab(colour: str) -> _LAB:
    """Björn Ottosson's OKLab (2020) of `#rrggbb`."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _to_hex(lab: _LAB) -> str:
    light, a, b = lab
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    clipped = [min(1.0, max(0.0, c)) for c in linear]
    encoded = [12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in clipped]
    return "#" + "".join(f"{round(255 * c):02x}" for c in encoded)


def _pair(light: tuple[str, ...], dark: tuple[str, ...]) -> tuple[ColourMap, ColourMap]:
    return replace(LIGHT, steps=light), replace(DARK, steps=dark)


PALETTES: dict[str, tuple[ColourMap, ColourMap]] = {
    "ember": (LIGHT, DARK),
    "sea": _pair(
        _ramp("#ffffff", "#bfe6ea", "#5bb4cf", "#2a7fb4", "#12306b"),
        _ramp("#15171c", "#1a3f63", "#1f7fa3", "#62c0c4", "#d8f3d6"),
    ),
    "grey": _pair(_ramp("#ffffff", "#111111"), _ramp("#15171c", "#f2f2f2")),
}
