"""What every picture of an effect says."""

from dataclasses import replace

from drawn_results import effect

from attnscope.render.content.effects import facts, provenance, reading, title, values


def test_the_title_says_what_is_gone_and_the_facts_of_what() -> None:
    assert title(effect()).startswith("Without head 7 of layer 15, layer 2, the attention from “hill” to every token")
    assert dict(facts(effect())) == {"model": "tests/tiny", "target": "log-probability of ' hill'"}
    crossed = replace(effect(), taken=replace(effect().taken, stack="cross"))
    assert ("attention", "cross") in facts(crossed)


def test_values_have_a_sign_and_their_spread() -> None:
    assert values(effect()) == ("-0.5", "-2.25 ± 0.12", "+1.75")
    assert values(replace(effect(), standard_error=None, after=-0.25))[2] == "-0.25"


def test_a_loss_is_read_the_other_way() -> None:
    assert "below 0" in reading("loss")
    assert "above 0" in reading("logit")


def test_provenance_leaves_out_what_is_not_known() -> None:
    assert provenance({"model": "m", "revision": None, "dtype": "float32"}) == [("dtype", "float32")]
