"""Two texts or two models opposite each other: a planted flip, what undoing its edit restores, and what is refused."""

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import classifier, tiny
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

import attnscope as ats
from attnscope.errors import DamagedFileError, InputError
from attnscope.results.comparison import opposites
from attnscope.studies.compare import applied, undone_edit

LABELS = [" c", " x"]


def test_the_edit_that_flips_is_found(copying: ats.Model) -> None:
    found = ats.compare(copying, "a b c d e f", "g b x d h f", labels=LABELS, method="deletion", expected=" c")
    assert (found.left.prediction, found.right.prediction) == (" c", " x")
    assert found.flipped
    assert found.right_or_wrong(found.left) is True
    assert found.right_or_wrong(found.right) is False
    assert [found.right.result.words[pair.right].text for pair in found.culprits] == ["x"]
    restored = {found.right.result.words[p.right].text: p.restores for p in found.edits}
    assert restored["x"] > 0.99
    assert restored["g"] == pytest.approx(0, abs=1e-6)
    assert restored["h"] == pytest.approx(0, abs=1e-6)


def test_words_put_in_and_taken_out_are_undone_in_place(copying: ats.Model) -> None:
    found = ats.compare(copying, "a b c d e f", "a b c d z e f", labels=LABELS, expected=" c")
    (edit,) = found.edits
    assert (edit.edit, edit.left, edit.rank_change) == ("inserted", None, None)
    assert edit.change == found.right.result.scores[4]
    back = dict(found.left.probabilities)[" c"] - dict(found.right.probabilities)[" c"]
    assert edit.restores == pytest.approx(back)
    lost = ats.compare(copying, "a b c d z e f", "a b c d e f", labels=LABELS, target=" c")
    (edit,) = lost.edits
    assert edit.edit == "deleted"
    back = dict(lost.left.probabilities)[lost.left.prediction] - dict(lost.right.probabilities)[lost.left.prediction]
    assert edit.restores == pytest.approx(back, abs=1e-6)


@pytest.mark.parametrize(
    ("clean", "adversarial", "restored"),
    [
        ("a  b c", "a  x c", ["a  b c"]),
        ("a b c", "a  z b c", ["a b c"]),
        ("a b c", "z a b c", ["a b c"]),
        ("a b  c d", "a b d", ["a b  c d"]),
        ("a b c", "b c", ["a b c"]),
        ("a b c d", "a x c z d", ["a b c z d", "a x c d"]),
    ],
)
def test_the_text_with_one_edit_undone(copying: ats.Model, clean: str, adversarial: str, restored: list[str]) -> None:
    left, right = (ats.explain(copying, text, "random") for text in (clean, adversarial))
    pairs = opposites(left, right)
    edits = [index for index, pair in enumerate(pairs) if pair.kind != "same"]
    assert [applied(right.text, undone_edit(left, right, pairs, index)) for index in edits] == restored


def test_changes_ranks_and_moved_attention_add_up(copying: ats.Model) -> None:
    found = ats.compare(copying, "a b c d e f", "a b x d e f", labels=LABELS)
    for pair in found.pairs:
        assert pair.change == found.right.result.scores[pair.right] - found.left.result.scores[pair.left]
        assert pair.rank_change == found.left.ranks[pair.left] - found.right.ranks[pair.right]
    assert found.left.shares.sum() == pytest.approx(1)
    assert found.moved == pytest.approx(found.right.shares[2] - found.left.shares[2])


def test_two_models_on_one_text(copying: ats.Model) -> None:
    other = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer(), name="other")
    found = ats.compare(copying, "a b c d e f", other=other, labels=LABELS, method="gradient_x_input")
    assert all(pair.edit == "same" for pair in found.pairs)
    assert (found.left.name, found.right.name) == (copying.name, "other")
    assert found.left.result.provenance["model"] != found.right.result.provenance["model"]


def test_sides_are_called_by_the_folders_own_names() -> None:
    def names(*folders: str) -> tuple[str, str]:
        left, right = (ats.Model(tiny("llama", sharp=2.0), copy_tokenizer(), name=folder) for folder in folders)
        found = ats.compare(left, "a b c", other=right, method="gradient_x_input", target=" d")
        return found.left.name, found.right.name

    assert names("/home/me/models/before", "org/after") == ("before", "org/after")
    assert names("/home/me/old/llama", "/home/me/new/llama") == ("llama", "llama (other)")


def test_one_text_has_the_same_words_under_two_tokenizers() -> None:
    """One tokenizer has a token a character, the other tokens that cover several words: nothing was edited."""

    def model(vocabulary: list[str]) -> ats.Model:
        backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token=vocabulary[0]))
        longest_first = "|".join(sorted(vocabulary, key=len, reverse=True))
        backend.pre_tokenizer = pre_tokenizers.Split(Regex(longest_first), behavior="isolated")
        return ats.Model(tiny("llama"), PreTrainedTokenizerFast(tokenizer_object=backend))

    text = "日本の城は古い。"
    characters, pieces = model(list("日本の城は古い。")), model(["日", "本の", "城は", "古い。"])
    found = ats.compare(characters, text, other=pieces, method="gradient_x_input")
    assert [w.text for w in found.right.result.words] == ["日本", "の", "城", "は", "古い", "。"]
    assert [pair.edit for pair in found.pairs] == ["same"] * 6
    assert found.left.result.measured.shared_words == ()
    assert found.right.result.measured.shared_words == ((0, 2), (2, 4), (4, 6))
    assert found.right.result.scores.sum() == pytest.approx(found.right.result.token_scores.sum())
    row = ats.attention(pieces, text, query="の")
    assert row.measured.query_tokens == (0, 1)
    assert row.scores.sum() == pytest.approx(1)


def test_the_sample_follows_both_prompts(copying: ats.Model) -> None:
    found = ats.compare(copying, "a b", "a x", sample="c d e f", labels=LABELS)
    assert found.left.result.text == "a b c d e f"
    assert ats.compare(copying, "a b", "a x", sample="\nc d", labels=LABELS).right.result.text == "a x\nc d"


def test_in_a_chat_the_sample_follows_the_last_user_message(smollm2: ats.Model) -> None:
    def chat(said: str) -> list[dict[str, str]]:
        return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": said}]

    found = ats.compare(smollm2, chat("Is it?"), chat("Iis it?"), sample="A castle.", labels=["Yes", "No"])
    whole = ats.compare(smollm2, chat("Is it? A castle."), chat("Iis it? A castle."), labels=["Yes", "No"])
    assert found == whole
    for wrong in ([{"role": "system", "content": "a"}], [{"role": "user", "content": [{"type": "text", "text": "a"}]}]):
        with pytest.raises(InputError, match="sample goes after a user's message that is a text"):
            ats.compare(smollm2, wrong, wrong, sample="b")


def test_without_labels_there_is_no_prediction(copying: ats.Model) -> None:
    found = ats.compare(copying, "a b c d", "a b x d")
    assert found.left.prediction is None
    assert not found.flipped
    assert all(pair.restores is None for pair in found.pairs)


def test_saved_and_loaded(copying: ats.Model, tmp_path) -> None:  # type: ignore[no-untyped-def]
    found = ats.compare(copying, "a b c d e f", "a b x d e f", labels=LABELS, tags={"attack": "<b>"}, expected=" c")
    found.save(tmp_path / "pair.json")
    assert ats.Comparison.load(tmp_path / "pair.json") == found
    many = ats.Comparisons((found, found))
    many.save(tmp_path / "many.json")
    assert ats.Comparisons.load(tmp_path / "many.json") == many
    (tmp_path / "pair.json").write_text(found.to_json().replace('"right": 2', '"right": 3'))
    with pytest.raises(DamagedFileError, match="every word once"):
        ats.Comparison.load(tmp_path / "pair.json")
    for broken in ("", "[]", "{}", '{"kind": "comparison", "schema": 1}'):
        (tmp_path / "pair.json").write_text(broken)
        with pytest.raises(DamagedFileError):
            ats.Comparison.load(tmp_path / "pair.json")


def test_summaries_by_attack(copying: ats.Model) -> None:
    flips = ats.compare(copying, "a b c d e f", "a b x d e f", labels=LABELS, tags={"attack": "one"}, expected=" c")
    holds = ats.compare(copying, "a b c d e f", "g b c d e f", labels=LABELS, tags={"attack": "two"}, expected=" c")
    one, two, both = ats.Comparisons((flips, holds)).summaries()
    assert (one.name, one.before, one.after, one.flips) == ("one", 1.0, 0.0, 1.0)
    assert (two.name, two.before, two.after, two.flips) == ("two", 1.0, 1.0, 0.0)
    assert (both.count, both.after, both.flips) == (2, 0.5, 0.5)
    assert both.moved == pytest.approx((flips.moved + holds.moved) / 2)


def test_what_is_refused(copying: ats.Model) -> None:
    with pytest.raises(InputError, match="give adversarial, or another model"):
        ats.compare(copying, "a b c")
    with pytest.raises(InputError, match="none of the labels"):
        ats.compare(copying, "a b c", "a b x", labels=LABELS, expected=" q")
    with pytest.raises(InputError, match="each once"):
        ats.compare(copying, "a b c", "a b x", labels=[" c", " c"])


def test_labels_of_a_classifier_go_by_their_names() -> None:
    model = classifier("Sequence")
    by_index = ats.compare(model, "a b c d e", "a x c d e", expected=1)
    assert [name for name, _ in by_index.left.probabilities] == ["NEGATIVE", "NEUTRAL", "POSITIVE"]
    assert by_index.expected == "NEUTRAL"
    assert ats.compare(model, "a b c d e", "a x c d e", expected="NEUTRAL") == by_index


def test_only_the_right_model_has_labels_of_its_own() -> None:
    language_model, judge = ats.Model(tiny("llama"), copy_tokenizer()), classifier("Sequence")
    compared = ats.compare(language_model, "a b c", other=judge)
    assert compared.left.prediction is None
    assert compared.right.prediction in ("NEGATIVE", "NEUTRAL", "POSITIVE")
    assert compared.right.result.asked.target == f"log-probability of the label {compared.right.prediction!r}"


def test_the_labels_of_a_multi_label_classifier_are_independent() -> None:
    model = classifier("Sequence", problem_type="multi_label_classification")
    compared = ats.compare(model, "a b c d e", "a x c d e")
    for side in (compared.left, compared.right):
        with torch.no_grad():
            expected = model.model(**model.tokenizer(side.result.text, return_tensors="pt")).logits[0].sigmoid()
        assert [p for _, p in side.probabilities] == pytest.approx(expected.tolist(), abs=1e-5)
    (edit,) = compared.edits
    label = compared.left.prediction
    back = dict(compared.left.probabilities)[label] - dict(compared.right.probabilities)[label]
    assert edit.restores == pytest.approx(back, abs=1e-6)


@pytest.mark.parametrize("settings", [{"problem_type": "regression"}, {"num_labels": 1}])
def test_a_regression_has_outputs_and_no_probabilities(settings: dict[str, object]) -> None:
    model = classifier("Sequence", **settings)
    compared = ats.compare(model, "a b c d e", "a x c d e", method="gradient_x_input", target=0)
    assert compared.left.probabilities == ()
    with torch.no_grad():
        output = model.model(**model.tokenizer("a b c d e", return_tensors="pt")).logits[0, 0]
    assert compared.left.result.measured.value == pytest.approx(output.item(), abs=1e-5)
    assert compared.left.result.asked.quantity == "logit"
    with pytest.raises(InputError, match="no probabilities"):
        ats.compare(model, "a b c d e", "a x c d e", labels=[0])


def test_a_target_without_labels_is_what_both_sides_explain(copying: ats.Model) -> None:
    compared = ats.compare(copying, "a b c d e f", "a b x d e f", target=" c")
    assert compared.left.result.asked.target == "log-probability of ' c'"
