"""Evaluation as a whole: rows that go on, texts that run once, standings, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from planted import copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from attnscope.errors import DamagedFileError, InputError, ModelError
from attnscope.models.perturbation import variants
from attnscope.models.targets import label_probabilities
from attnscope.results.evaluation import Evaluation, EvaluationRow, Sample

TEXTS = ["a b c d e f", "h i j k l m", "c b a d e f", "x y c z a b"]
FAST = ["comprehensiveness", "sufficiency", "deletion_area"]


def test_random_is_always_there_and_every_method_goes_by_its_name(copying: ats.Model) -> None:
    found = ats.evaluate(
        copying, TEXTS, ["deletion", ("occlusion", {"width": 2})], FAST, target=" c", replacement="pad"
    )
    assert found.methods == ("deletion", "occlusion (width=2)", "random")
    assert found.metrics == tuple(FAST)
    assert len(found.rows) == 12
    assert {row.label for row in found.rows} == {" c"}


def test_random_is_the_mean_of_ten_orders(copying: ats.Model) -> None:
    metrics = ["comprehensiveness", "randomisation"]
    rows = ats.evaluate(copying, ["a b c d e f"], ["deletion"], metrics, target=" c", replacement="pad").rows
    (random,) = (row for row in rows if row.method == "random")
    draws = random.draws["comprehensiveness"]
    assert (len(draws), len(set(draws)) > 1) == (10, True)
    assert random.values["comprehensiveness"] == pytest.approx(np.mean(draws))
    assert random.values["randomisation"] == pytest.approx(1.0)  # shuffled weights change no random scores
    assert not any(row.draws for row in rows if row.method != "random")


def test_a_text_that_comes_twice_counts_once_also_in_the_file(copying: ats.Model, tmp_path: Path) -> None:
    asked = {"target": " c", "replacement": "pad"}
    found = ats.evaluate(copying, [*TEXTS, TEXTS[0]], ["deletion"], FAST, rows=tmp_path / "rows.jsonl", **asked)
    assert len(found.rows) == 8
    assert Evaluation.load(tmp_path / "rows.jsonl").rows == found.rows
    once = ats.evaluate(copying, TEXTS, ["deletion"], FAST, **asked)
    np.testing.assert_array_equal(found.curve("random", "deletion"), once.curve("random", "deletion"))


def test_curves_may_be_left_out(copying: ats.Model, tmp_path: Path) -> None:
    asked = {"target": " c", "replacement": "pad"}
    with_curves, without = (
        ats.evaluate(copying, TEXTS, ["deletion"], FAST[:2], curves=curves, **asked) for curves in (True, False)
    )
    assert [row.values for row in without.rows] == [row.values for row in with_curves.rows]
    assert (with_curves.curve_names, without.curve_names) == (("deletion", "insertion"), ())
    ats.save(without, tmp_path / "out.html")
    assert "comprehensiveness" in (tmp_path / "out.html").read_text("utf-8")
    with pytest.raises(InputError, match="has no curves, so there is nothing to draw"):
        ats.save(without, tmp_path / "out.svg")


def test_a_broken_run_goes_on(copying: ats.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tmp_path / "rows.jsonl"
    asked = {"target": " c", "replacement": "pad", "rows": rows}
    whole = ats.evaluate(copying, TEXTS, ["deletion"], FAST, **asked)
    lines = rows.read_text().splitlines()
    assert len(lines) == 1 + len(TEXTS) * 2
    # Killed in the middle of a line.
    rows.write_text("\n".join(lines[:4]) + "\n" + lines[4][:50])
    explained = []
    real = label_probabilities.Choices.without
    monkeypatch.setattr(
        label_probabilities.Choices, "without", lambda self, *a: explained.append(self.encoded.text) or real(self, *a)
    )
    again = ats.evaluate(copying, TEXTS, ["deletion"], FAST, **asked)
    assert "a b c d e f" not in explained, "what was done is not done again"
    by_name = {(r.key, r.method): (r.values, r.curves, r.scores) for r in whole.rows}
    assert by_name == {(r.key, r.method): (r.values, r.curves, r.scores) for r in again.rows}
    assert len(rows.read_text().splitlines()) == 1 + len(TEXTS) * 2
    more = ats.evaluate(copying, TEXTS, ["deletion", "gradient"], FAST, **asked)
    assert set(more.methods) == {"deletion", "random", "gradient"}
    assert {(r.key, r.method): r.values for r in more.rows if r.method != "gradient"} == {
        key: values for key, (values, _curves, _scores) in by_name.items()
    }
    reversed_texts = ats.evaluate(copying, TEXTS[::-1], ["deletion"], FAST, **asked)
    assert [row.number for row in reversed_texts.rows if row.key == whole.rows[0].key] == [3, 3], "its new place"
    with pytest.raises(InputError, match="another evaluation: its replacement is 'pad', now 'delete'"):
        ats.evaluate(copying, TEXTS, ["deletion"], FAST, target=" c", rows=rows)


def test_each_perturbed_text_runs_once(copying: ats.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = label_probabilities.Choices.without

    def counted(self: label_probabilities.Choices, taken: list[frozenset[int]], way: str) -> torch.Tensor:
        asked.extend(taken)
        return real(self, taken, way)

    monkeypatch.setattr(label_probabilities.Choices, "without", counted)
    methods = ["gradient", "gradient_x_input", "deletion", "occlusion"]
    ats.evaluate(
        copying, TEXTS[:1], methods, [*FAST, "aopc", "log_odds", "normalised_aopc"], target=" c", replacement="pad"
    )
    assert len(asked[1:]) == len(set(asked[1:])), "the first is the whole text, to see what is predicted"


def test_methods_that_do_not_run_here(copying: ats.Model) -> None:
    with pytest.raises(ModelError):
        ats.evaluate(copying, TEXTS[:1], ["attention"], FAST, target=" c")
    found = ats.evaluate(copying, TEXTS[:2], None, ["comprehensiveness"], target=" c", replacement="pad")
    assert "attention" in found.settings["skipped"]
    assert set(found.methods) | set(found.settings["skipped"]) == set(ats.METHODS)


@pytest.mark.parametrize("replacement", ["delete", "pad", "zero", "mean"])
def test_every_replacement_of_words_that_are_taken_away(copying: ats.Model, replacement: str) -> None:
    found = ats.evaluate(copying, TEXTS[:1], ["deletion"], FAST, labels=[" c", " x"], replacement=replacement)
    assert all(np.isfinite(v) for row in found.rows for v in row.values.values())


def test_way_is_the_former_name_of_replacement(copying: ats.Model) -> None:
    asked = {"methods": ["deletion"], "metrics": FAST, "target": " c"}
    with pytest.warns(DeprecationWarning, match="write replacement='pad'"):
        found = ats.evaluate(copying, TEXTS[:1], way="pad", **asked)
    renamed = ats.evaluate(copying, TEXTS[:1], replacement="pad", **asked)
    assert [row.values for row in found.rows] == [row.values for row in renamed.rows]
    assert found.settings == renamed.settings
    assert found.settings["replacement"] == "pad"
    with (
        pytest.warns(DeprecationWarning, match="replacement="),
        pytest.raises(InputError, match="give replacement alone"),
    ):
        ats.evaluate(copying, TEXTS[:1], way="pad", replacement="zero", **asked)


def test_a_neutral_word_is_one_token_of_the_models(copying: ats.Model, smollm2: ats.Model) -> None:
    with pytest.raises(InputError, match="no neutral word"):
        ats.evaluate(copying, TEXTS[:1], ["deletion"], FAST, target=" c", replacement="neutral")
    found = ats.evaluate(smollm2, ["a good film. It was"], ["gradient"], FAST, target=" great", replacement="neutral")
    assert found.texts == 1
    neutral = variants.neutral_id(smollm2)
    assert smollm2.tokenizer.decode([neutral]) == " the"


def test_within_judges_a_piece_of_the_text(copying: ats.Model) -> None:
    sample = Sample("a b c d e f", target=" c", within=(4, 9), human=((4, 5, 2.0),), gold=" c")
    found = ats.evaluate(copying, [sample], ["occlusion"], None, replacement="pad")
    assert {row.words for row in found.rows} == {("c", "d", "e")}
    assert {row.human for row in found.rows} == {(2.0, 0.0, 0.0)}
    assert found.accuracy == 1.0
    assert found.rows[0].values["human_precision"] == 1.0


def test_standings_by_hand() -> None:
    def row(key: str, method: str, value: float | None) -> EvaluationRow:
        return EvaluationRow(key, 0, method, {"m": value}, {}, ("a",), (1.0,), None, "y", None, 0.5, True, 0.1)

    values = {"good": 0.9, "bad": 0.1, "random": 0.5}
    rows = [row(f"{i}", m, v + 0.01 * (i % 3)) for i in range(20) for m, v in values.items()]
    rows += [row("more", "good", None)]
    settings = {"metrics": {"m": {"better": "lower", "asks": "faithfulness", "value": "", "paper": ""}}, "shares": []}
    found = Evaluation(settings, tuple(rows))
    standings = {s.method: s for s in found.standings("m")}
    assert list(standings) == ["bad", "random", "good"]
    assert (standings["bad"].verdict, standings["good"].verdict, standings["random"].verdict) == ("better", "worse", "")
    assert standings["bad"].difference == pytest.approx((-0.4, -0.4, -0.4))
    assert standings["good"].count == 20
    assert standings["bad"].p == pytest.approx(2e-4)


def test_files_that_are_no_rows(tmp_path: Path, copying: ats.Model) -> None:
    path = tmp_path / "rows.jsonl"
    found = ats.evaluate(copying, TEXTS[:1], ["deletion"], FAST, target=" c", replacement="pad")
    found.save(path)
    assert Evaluation.load(path) == found
    lines = path.read_text().splitlines()
    for broken in ("{}", '{"kind": "evaluation", "schema": 99}', "nothing", ""):
        path.write_text(broken)
        with pytest.raises(DamagedFileError, match="rows"):
            Evaluation.load(path)
    path.write_text("\n".join([lines[0], "{}", lines[1]]))
    with pytest.raises(DamagedFileError, match="line 2 of"):
        Evaluation.load(path)
    assert json.loads(found.to_json())["standings"]


def test_one_method_and_one_metric_are_one(copying: ats.Model) -> None:
    asked = {"target": " c", "replacement": "pad", "curves": False}
    found = ats.evaluate(copying, TEXTS[:1], "deletion", FAST[0], **asked)  # type: ignore[arg-type]
    assert (found.methods, found.metrics) == (("deletion", "random"), (FAST[0],))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["gradeint"]}, "no method 'gradeint'.*meant 'gradient'"),
        ({"methods": [("gradient", {"layer": 3})]}, "no parameter 'layer'"),
        ({"methods": ["gradient", "gradient"]}, "twice"),
        ({"metrics": ["sufficency"]}, "meant 'sufficiency'"),
        ({"metrics": []}, "empty"),
        ({"target": None, "labels": " abc"}, "labels=' abc' is one label: give a list"),
        ({"texts": [{"text": "a b c", "labels": " abc"}]}, "labels=' abc' is one label: give a list"),
        ({"texts": []}, "empty"),
        ({"replacement": "burn"}, "replacement='burn' .*choose from delete"),
        ({"target": None}, "give labels"),
        ({"texts": ["a"]}, "two or more"),
        ({"texts": [{"text": "a b c", "titel": 1}]}, "'titel'"),
        ({"texts": [{"text": "a b c", "within": [0, 99], "target": " c"}]}, "within"),
        ({"texts": [{"text": "a b c", "target": " q", "labels": [" c"]}]}, "none of the labels"),
    ],
)
def test_what_is_refused(copying: ats.Model, change: dict, message: str) -> None:  # type: ignore[type-arg]
    asked = {"texts": TEXTS, "methods": ["gradient"], "metrics": FAST, "target": " c"} | change
    with pytest.raises(InputError, match=message):
        ats.evaluate(copying, **asked)


def test_the_model_changed_a_little_and_shuffled(copying: ats.Model) -> None:
    before = {name: p.clone() for name, p in copying.model.state_dict().items()}
    measured = ["sensitivity", "randomisation", "soft_comprehensiveness", "soft_sufficiency"]
    found = ats.evaluate(copying, TEXTS[:2], ["gradient_x_input"], measured, target=" c", replacement="pad")
    by_method = {row.method: row.values for row in found.rows}
    assert by_method["random"]["sensitivity"] == 0.0
    assert by_method["random"]["randomisation"] == pytest.approx(1)
    assert 0 < by_method["gradient_x_input"]["sensitivity"] < 0.5
    assert all(torch.equal(before[name], p) for name, p in copying.model.state_dict().items())


def test_every_method_runs_by_its_name_and_attention_looks_from_where_the_label_is_predicted() -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    sample = Sample("a b c d e", labels=(" f", " g"), within=(2, 9))
    found = ats.evaluate(model, [sample], None, ["comprehensiveness"])
    assert set(found.methods) == set(ats.METHODS)
    assert "skipped" not in found.settings
    scores = {row.method: row.scores for row in found.rows}
    label = found.rows[0].label
    for method in ("attention", "rollout", "value_norm"):
        asked = ats.explain(model, sample.text, method=method, target=label)
        assert scores[method] == pytest.approx(asked.scores[1:].tolist(), abs=1e-6), method
        last = ats.explain(model, sample.text, method=method, query=-1)
        assert scores[method] == pytest.approx(last.scores[1:].tolist(), abs=1e-5), "a label of one token"
    (row, _) = ats.evaluate(model, [sample], [("attention", {"query": None})], ["comprehensiveness"]).rows
    assert row.scores == pytest.approx(ats.attention(model, sample.text).scores[1:].tolist(), abs=1e-6)


def test_chats_are_evaluated(copying: ats.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    template = "{{ messages | map(attribute='content') | join(' ') }}{% if add_generation_prompt %} x y{% endif %}"
    monkeypatch.setattr(copying.tokenizer, "chat_template", template)
    chat = [{"role": "system", "content": "a b"}, {"role": "user", "content": "d e f"}]
    asked = {"methods": ["deletion"], "metrics": ["aopc"], "replacement": "pad"}
    one = ats.evaluate(copying, chat, labels=[" a", " e"], **asked)
    sample = {"messages": chat, "labels": [" a", " e"]}
    (row, *_), (same, *_) = one.rows, ats.evaluate(copying, [sample], **asked).rows
    assert row.words == ("a", "b", "d", "e", "f")
    assert row.scores == same.scores
    # The word three places before the end is another one without any of those behind it, too.
    assert row.scores == pytest.approx((0, 0, 0, 8, 8), abs=0.01)
    assert row.label == " e"
