"""A text with its target, and where parts of the model can be taken away."""

import pytest
import torch
from tiny_models import classifier, small

from attnscope.errors import InputError, QueryError
from attnscope.models.targets.target import Target
from attnscope.studies.effects.experiment import Experiment, StandIns, experiment, own_pool, reference_pool, stand_ins
from attnscope.text.inputs import Reading

TEXT = "a b c d e f"


def of(family: str = "llama", stack: str | None = None, **target: object) -> Experiment:
    asked = Target(**({"target": " g h"} | target))  # type: ignore[arg-type]
    return experiment(small(family), TEXT, asked, Reading(), stack, attention=True, layers=True)


def test_it_knows_the_text_before_its_target_and_where_the_target_is_read() -> None:
    made = of()
    assert made.prompt == 6
    assert made.read_at() == (5, 6)
    assert made.heads == {0: 4, 1: 4, 2: 4}
    assert made.word("b").tokens == (1,)
    assert made.word(-1).text == "f"
    with pytest.raises(QueryError, match="neither a word"):
        made.word(1.5)


def test_a_decoder_has_words_of_its_own() -> None:
    made = of("bart", "cross", target="g h")
    assert made.word("a", "keys").tokens
    assert "g" in made.queries.text
    with pytest.raises(InputError, match="give a target, or generate"):
        of("bart", "decoder", target=None)


def test_a_label_is_ranked_at_the_text() -> None:
    made = experiment(classifier("Sequence"), TEXT, Target(), Reading(), None, attention=True, layers=False)
    assert made.passes[0].at == 0
    assert made.prompt == len(made.objective.encoded.tokens)


def test_means_and_draws_are_of_the_pool() -> None:
    pool = torch.arange(24.0).view(3, 2, 4)
    assert StandIns("zero", {}).of(0, 1) is None
    mean = StandIns("mean", {0: pool})
    torch.testing.assert_close(mean.of(0, 1), pool[:, 1].mean(0, keepdim=True))
    torch.testing.assert_close(mean.of_layer(0), pool.mean(0, keepdim=True))
    drawn = stand_ins("resample", {0: pool}, 50, 3, 0)
    assert drawn.samples == 3
    one = drawn.of(0, 1, 2)
    assert one is not None
    assert one.shape == (50, 4)
    assert {tuple(row) for row in one.tolist()} == {tuple(row) for row in pool[:, 1].tolist()}
    torch.testing.assert_close(drawn.of_layer(0, 2)[:, 1], one)


def test_other_texts_give_their_outputs_one_after_the_other() -> None:
    made = of()
    made.passes[0].record([0])
    assert own_pool(made, made.passes[0])[0].shape == (6, 4, 8)
    assert reference_pool(made, [0, 2], ["a b", "c d e"], Reading())[2].shape == (5, 4, 8)
    with pytest.raises(InputError, match="leave references out"):
        reference_pool(of("bart", "cross", target="g h"), [0], ["a b"], Reading())
