"""The yardstick: seeded, the same in any batch, of no model."""

import attnscope as ats

TEXT = "a b c d e f"


def test_random_is_seeded_and_independent_of_the_batch(llama: ats.Model) -> None:
    alone = ats.explain(llama, TEXT, method="random", seed=3)
    assert alone == ats.explain(llama, ["b c", TEXT], method="random", seed=3)[1]
    assert (alone.scores != ats.explain(llama, TEXT, method="random", seed=4).scores).all()
