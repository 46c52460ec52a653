"""The pooling that a SentenceTransformer, or the folder that it was saved to, brings."""

import json
from pathlib import Path
from typing import Any

import pytest
from planted import copy_tokenizer
from snapshot import forget_all
from tiny_models import tiny

import attnscope as ats
from attnscope.models.loading.text_vectors import pooling_within


def _saved(folder: Path, pooling: dict[str, Any], *more: str, **whole: Any) -> str:
    """A checkpoint as sentence-transformers lay it out."""
    tiny("bert").bert.save_pretrained(folder)
    copy_tokenizer().save_pretrained(folder)
    forget_all()
    kinds = ["Transformer", "Pooling", *more]
    steps = [
        {
            "idx": i,
            "name": str(i),
            "path": "" if not i else f"{i}_{kind}",
            "type": f"sentence_transformers.models.{kind}",
        }
        for i, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(steps))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": 32, **pooling}))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 40}')
    (folder / "config_sentence_transformers.json").write_text(json.dumps(whole))
    return str(folder)


@pytest.mark.parametrize(
    ("pooling", "more", "whole", "expected"),
    [
        ({"pooling_mode": "mean"}, (), {}, ("mean", "cosine")),
        ({"pooling_mode": ["cls"]}, ("Normalize",), {"similarity_fn_name": "dot"}, ("cls", "cosine")),
        ({"pooling_mode_mean_tokens": False, "pooling_mode_max_tokens": True}, (), {}, ("max", "cosine")),
        ({"pooling_mode_lasttoken": True}, (), {"similarity_fn_name": "dot"}, ("last", "dot")),
        ({"pooling_mode": ["mean", "cls"]}, (), {}, None),
        ({"pooling_mode": "weightedmean"}, (), {}, None),
        ({"pooling_mode": "mean"}, ("Dense",), {}, None),
        ({"pooling_mode": "mean"}, (), {"prompts": {"query": "query: "}, "default_prompt_name": "query"}, None),
        ({"pooling_mode": "mean"}, ("Normalize",), {"similarity_fn_name": "manhattan"}, None),
    ],
)
def test_a_folder_says_its_pooling(
    pooling: dict[str, Any], more: tuple[str, ...], whole: dict[str, Any], expected: object, tmp_path: Path
) -> None:
    found = ats.load(_saved(tmp_path, pooling, *more, **whole)).pooling
    assert (None if found is None else (found.kind, found.similarity)) == expected
    assert found is None or found.max_tokens == 40


def test_what_the_caller_says_wins_and_a_model_with_a_head_has_none(tmp_path: Path) -> None:
    folder = _saved(tmp_path, {"pooling_mode": "mean"})
    stated = ats.load(folder, pooling="cls")
    assert stated.pooling is not None
    assert stated.pooling.kind == "cls"
    again = ats.load(stated, pooling="last")
    assert again.pooling is not None
    assert (again.pooling.kind, again.model) == ("last", stated.model)
    assert ats.load(stated) is stated
    tiny("bert").save_pretrained(tmp_path)
    forget_all()
    assert ats.load(folder).pooling is None
    assert pooling_within(stated.model) is None


def test_a_folder_gives_what_sentence_transformers_give(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    folder = _saved(tmp_path, {"pooling_mode": "cls"})
    (tmp_path / "config_sentence_transformers.json").unlink()
    given = SentenceTransformer(folder, device="cpu")
    theirs = float(given.similarity(given.encode(["a b"]), given.encode(["c d e"]))[0, 0])
    found = ats.explain(ats.load(folder), "a b", "gradient", similar_to="c d e")
    assert found.measured.value == pytest.approx(theirs, abs=1e-6)
