"""Attention by gradient: against plain autograd, a planted truth, and laws."""

import numpy as np
import pytest
import torch
from comparisons import ids
from planted import CopyBack, copy_tokenizer
from snapshot import watch

import attnscope as ats
from attnscope.errors import InputError, ModelError, NonFiniteError
from attnscope.models.inputs.batching import tensors
from attnscope.models.inputs.encode import encode
from reference import importance as textbook
from reference.textbook import autograd_gradient, embedding_matrix_gradient

LETTERS = "a b c d e f"
TEXT = "The old castle on the old hill. 熊本県の天気 😀"


def reference(model: ats.Model) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    inputs = tensors(model.model, encode(model.tokenizer, TEXT).inputs)
    return autograd_gradient(model.model, inputs)[0], inputs


def close(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Within 1e-4 of the largest score."""
    return bool(np.abs(ours - theirs).max() < 1e-4 * theirs.max())


def test_tokens_are_norms_and_words_their_sums(smollm2: ats.Model) -> None:
    result = ats.explain(smollm2, TEXT, "gradient")
    vectors, _ = reference(smollm2)
    norms = vectors.norm(dim=1).numpy()
    assert close(result.token_scores, norms)
    by_hand = [
        sum(
            n
            for n, t in zip(norms, result.tokens, strict=True)
            if w.start <= t.start < w.end or w.start < t.end <= w.end
        )
        for w in result.words
    ]
    assert close(result.scores, np.array(by_hand))
    assert result.measured.value == pytest.approx(autograd_gradient(smollm2.model, reference(smollm2)[1])[1], rel=1e-5)


def test_l1(smollm2: ats.Model) -> None:
    vectors, _ = reference(smollm2)
    assert close(ats.explain(smollm2, TEXT, "gradient", norm="l1").token_scores, vectors.abs().sum(1).numpy())


def test_promptrobust_sums_vectors_before_the_norm(smollm2: ats.Model) -> None:
    result = ats.explain(smollm2, TEXT, "gradient", preset="promptrobust")
    words = encode(smollm2.tokenizer, TEXT).words
    vectors, _ = reference(smollm2)
    assert close(result.scores, np.array([vectors[list(w.tokens)].sum(0).norm().item() for w in words]))
    assert any(len(w.tokens) > 1 for w in words)
    assert (
        result.scores <= ats.explain(smollm2, TEXT, "gradient").scores * (1 + 1e-6)
    ).all()  # the triangle inequality


def test_vocabulary_is_the_row_of_the_embedding_matrix(smollm2: ats.Model) -> None:
    result = ats.explain(smollm2, TEXT, "gradient", preset="vocabulary")
    _, inputs = reference(smollm2)
    matrix = embedding_matrix_gradient(smollm2.model, inputs)
    assert close(result.token_scores, matrix[inputs["input_ids"][0]].norm(dim=1).numpy())
    old = [t.score for t in result.tokens if t.text == " old"]
    assert len(old) == 2
    assert old[0] == old[1]


def test_a_causal_models_last_token_scores_zero(smollm2: ats.Model) -> None:
    assert ats.explain(smollm2, "The castle on the hill", "gradient").tokens[-1].score == 0


def test_a_planted_truth_only_the_copied_token_matters() -> None:
    """A model whose every prediction is the token read two places back: no other position has a gradient."""
    model = ats.Model(CopyBack.make(back=2), copy_tokenizer())
    result = ats.explain(model, "a b c d e f g h", "gradient")
    # Position i is read when position i + 2 predicts position i + 3: the last three are read by nobody.
    assert [t.score > 0 for t in result.tokens] == [True] * 5 + [False] * 3


def test_pools(smollm2: ats.Model) -> None:
    words = encode(smollm2.tokenizer, TEXT).words
    tokens = ats.explain(smollm2, TEXT, "gradient").token_scores
    for pool, over in (("mean", np.mean), ("max", np.max)):
        expected = np.array([over(tokens[list(w.tokens)]) for w in words])
        assert close(ats.explain(smollm2, TEXT, "gradient", pool=pool).scores, expected)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"method": "gradeint"}, "meant 'gradient'"),
        ({"steps": 3}, "no parameter 'steps'; it takes norm, pool"),
        ({"preset": "nope"}, "'promptrobust', 'vocabulary'"),
        ({"norm": "l3"}, "norm is 'l2' or 'l1'"),
    ],
)
def test_wrong_parameters_say_what_there_is(smollm2: ats.Model, parameters: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        ats.explain(smollm2, TEXT, **{"method": "gradient", **parameters})


def test_a_bare_encoder_is_refused(minilm: ats.Model) -> None:
    with pytest.raises(ModelError, match="no language-model head"):
        ats.explain(minilm, TEXT, "gradient")


def test_numbers_that_overflow_name_the_token() -> None:
    net = CopyBack.make(back=1)
    with torch.no_grad():
        net.get_input_embeddings().weight[4] = float("nan")
    watch(net)
    with pytest.raises(NonFiniteError, match=r"token 1 \('a'\) is nan"):
        ats.explain(ats.Model(net, copy_tokenizer()), "b a b c", "gradient")


def test_per_token_rows_are_the_gradients_of_each_token(llama: ats.Model) -> None:
    result = ats.explain(llama, LETTERS, "gradient", target=" g h k", per_token=True)
    prompt, target = ids(llama, LETTERS), ids(llama, "g h k")
    for number, identity in enumerate(target):
        expected = textbook.gradient(llama.model, prompt + target[:number], [identity]).norm(dim=-1).numpy()
        assert close(result.token_scores[number, : len(expected)], expected)
        assert not result.token_scores[number, len(expected) :].any()
