"""What is opened: only sources in which something is found."""

import numpy as np

import attnscope as ats
from attnscope.studies.citation.deletion import effects_of, opened
from attnscope.studies.citation.setup import setup


def test_only_what_matters_is_opened(llama: ats.Model) -> None:
    found = setup(
        llama, "x", ["a b\nc", "d e\nf", "g\nh"], "m", generate=4, template=None, segments=None, unit=None, within=None
    )
    true = effects_of(found, found.parts)
    parts, effects = opened(found, np.array([[5.0, 0.05, 1.0]]), "sentence")
    assert {part.source.parent for part in parts} == {None, 0}
    assert effects.shape == (1, 2)
    parts, effects = opened(found, np.array([[0.09, 0.09, -3.0]]), "word")
    assert len(parts) == 3
    parts, _ = opened(found, np.array([[0.0, 2.0, 1.5]]), "sentence")
    assert {part.source.parent for part in parts} == {None, 1, 2}
    assert true.shape == (1, 3)
