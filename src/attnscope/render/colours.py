"""The colour maps as plain data: every renderer and the viewer draw with the same 64 steps.

Each map starts at the background of its page, so that words without weight recede, and runs through amber and
vermilion in equal steps of OKLab lightness, so that it stays a ramp in greyscale print and for every colour vision.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ColourMap:
    """Colours for scaled scores, from 0 to 1, on a page with this `background`.

    ink, muted: the colour of text outside word boxes, and of quieter text.
    """

    background: str
    ink: str
    muted: str
    steps: tuple[str, ...]

    def step(self, scaled: float) -> int:
        """The step of a score scaled to 0..1. The viewer's `stepOf` is the same rule.

        >>> LIGHT.step(0.0), LIGHT.step(0.5), LIGHT.step(1.0)
        (0, 32, 63)
        """
        return min(int(scaled * len(self.steps)), len(self.steps) - 1)

    def is_blank(self, step: int) -> bool:
        """Whether a step has the page's own colour: no weight."""
        return self.steps[step] == self.background

    def colour(self, scaled: float) -> str:
        """The box's colour for a score scaled to 0..1, as `#rrggbb`."""
        return self.steps[self.step(scaled)]


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0 to 1, as WCAG 2 defines it."""
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def text_on(colour: str) -> str:
    """Black or white, whichever has more contrast on `colour`: at least 4.58."""
    return max(("#000000", "#ffffff"), key=lambda text: contrast(colour, text))


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


_LIGHT_STEPS = """
#ffffff #fffcf3 #fff9e6 #fff6da #fff3ce #ffefc4 #ffecb9 #ffe8af
#ffe4a4 #ffe09a #ffdc90 #ffd888 #ffd480 #ffd07a #fecc76 #fdc872
#fdc46d #fdc069 #fdbb65 #fdb661 #fdb25d #fdad59 #fda856 #fca352
#fc9f4e #fb9a4b #fa9648 #f99145 #f88c43 #f78841 #f68340 #f57e3f
#f4793e #f2753d #f1703c #ef6b3c #ed673b #eb623b #e95e3a #e65a3a
#e4563a #e1513a #df4d3a #dc483a #da443b #d73f3c #d43b3c #d1373d
#ce333e #cb2e3f #c72b3f #c32740 #bf2440 #bb2141 #b71f42 #b31d42
#ae1c43 #aa1a43 #a51944 #a11845 #9c1745 #981545 #931446 #8f1246
"""

LIGHT = ColourMap(
    background="#ffffff",
    ink="#1c1b22",
    muted="#66646f",
    steps=tuple(_LIGHT_STEPS.split()),
)

_DARK_STEPS = """
#15171c #1a181f #201923 #251a26 #2a1a2a #301b2d #351b30 #3a1c33
#3f1c36 #451d38 #4a1d3a #501d3d #551d3f #5b1e41 #601e43 #651e45
#6b1e48 #701f4a #75204b #7a214c #7f214d #85224e #8a224e #90234d
#96244d #9b254c #a0274b #a5294b #aa2b4a #ae2e4a #b33149 #b73449
#bb3748 #c03a46 #c43e45 #c94144 #cd4442 #d14741 #d54a3f #d94e3e
#de513d #e2553d #e5583d #e85d3d #eb613d #ee663d #f06c3d #f2713d
#f3773e #f57c3f #f68240 #f78742 #f88d44 #fa9247 #fb9749 #fc9d4d
#fca250 #fda753 #fead56 #feb259 #feb75c #ffbd60 #ffc263 #ffc766
"""

DARK = ColourMap(
    background="#15171c",
    ink="#e9e7e3",
    muted="#9a98a3",
    steps=tuple(_DARK_STEPS.split()),
)

# For signed scores: blue against, the page's own colour for zero, vermilion for. Both arms have the same lightness step
# by step, so that neither looks stronger; blue and vermilion can be told apart by every colour vision.
_LIGHT_DIVERGING = """
#2c7bd7 #3380dd #3583e0 #3b88e6 #3f8ce9 #4491ef #4a94f0 #539af3
#599ef3 #61a3f6 #67a6f7 #6facfa #75aff9 #7db5fd #83b8fd #8bbeff
#91c1ff #9cc7ff #a0c9ff #abd0ff #afd2ff #b9d8ff #bedaff #c8e0ff
#cde3ff #d7e8ff #ddebff #e6f1ff #ecf4ff #f5f9ff #fafcff #ffffff
#ffffff #fffcf3 #fff9e6 #fff3ce #ffefc4 #ffe8af #ffe4a4 #ffdc90
#ffd888 #ffd07a #fecc76 #fdc46d #fdc069 #fdb661 #fdb25d #fda856
#fca352 #fb9a4b #fa9648 #f88c43 #f78841 #f57e3f #f4793e #f1703c
#ef6b3c #eb623b #e95e3a #e4563a #e1513a #dc483a #da443b #d43b3c
"""

_DARK_DIVERGING = """
#72affe #64a9ff #56a1ff #4e9bfa #4a97f6 #4491ef #418be5 #4188df
#3d81d4 #3a7bcb #3a78c5 #3772bb #346cb1 #3469ab #3163a1 #2e5d98
#2e5a92 #2b5588 #284f7f #284c79 #264770 #234167 #233e60 #213958
#1e344f #1e3148 #1c2b3f #1a2637 #1a2431 #181f28 #161a1f #15171c
#15171c #1a181f #251a26 #301b2d #351b30 #3f1c36 #4a1d3a #501d3d
#5b1e41 #651e45 #6b1e48 #75204b #7f214d #85224e #90234d #9b254c
#a0274b #aa2b4a #b33149 #b73449 #c03a46 #c94144 #cd4442 #d54a3f
#de513d #e2553d #e85d3d #ee663d #f06c3d #f3773e #f68240 #f88d44
"""

LIGHT_SIGNED = replace(LIGHT, steps=tuple(_LIGHT_DIVERGING.split()))
DARK_SIGNED = replace(DARK, steps=tuple(_DARK_DIVERGING.split()))


def colours_for(signed: bool, dark: bool) -> ColourMap:
    """The map for signed or non-negative scores on a light or dark page."""
    if signed:
        return DARK_SIGNED if dark else LIGHT_SIGNED
    return DARK if dark else LIGHT
