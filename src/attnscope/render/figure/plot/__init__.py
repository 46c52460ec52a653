"""Results on matplotlib axes: attention maps (a head, all heads, statistics, lines), agreements, per-token results.

Each function draws on the Axes it is given, or on a figure of its own that pyplot does not know. Letters have the sizes
and fonts of your rcParams, which are left alone; on your axes text has your colours too, the title is short, and words
along an axis are thinned to those that have room, at any size.

Special tokens stay out of the picture, and the caption says what they took. `maps.words()` gives words. Weights span
powers of ten, so colours follow a root of the weight, and so do the positions of the legend's numbers. Those of linear
attention are signed: colours diverge from 0, in a grid on each layer's own scale.

font: path of a font file or an installed family, tried before all others.
dark: None is as the axes or your settings are.
caption: True writes all of it over the axes, False nothing. legend: False leaves the colours' key out.
lang: "en" or "ja", of what the picture says itself; None is English.

>>> import matplotlib.pyplot as plt
>>> maps = ats.attention_maps(model, "The castle on the hill", layers=[3, 18])
>>> figure, axes = plt.subplots(1, 2, figsize=(6.75, 3), layout="constrained")
>>> for ax, layer in zip(axes, maps.layers):
...     drawn = ats.plot.heat_map(maps, layer, head=6, ax=ax)
>>> figure.savefig("heads.pdf")
"""

from attnscope.render.figure.plot.lines import lines
from attnscope.render.figure.plot.maps import grid, heat_map
from attnscope.render.figure.plot.statistics import statistic, statistics
from attnscope.render.figure.plot.tables import agreement, per_token

__all__ = ["agreement", "grid", "heat_map", "lines", "per_token", "statistic", "statistics"]
