"""What is kept stays under its budget; models are those that were named."""

import pytest
from tiny_models import small

from attnscope.errors import InputError
from attnscope.serve.session import Kept, Session


def test_the_least_recently_used_goes_first() -> None:
    kept, made = Kept(10), []

    def get(key: str) -> str:
        return kept.get(key, lambda: made.append(key) or key * 4, len)

    for key in ("a", "b", "a", "c", "a", "b"):
        assert get(key) == key * 4
    assert made == ["a", "b", "c", "b"]
    assert (kept.bytes, len(kept)) == (8, 2)


def test_what_is_larger_than_the_budget_is_handed_out_and_not_kept() -> None:
    kept = Kept(3)
    assert kept.get("x", lambda: "long", len) == "long"
    assert (kept.bytes, len(kept)) == (0, 0)


def test_only_models_that_were_named_are_there() -> None:
    model = small("llama")
    session = Session([model])
    try:
        assert session.names == [model.name]
        assert session.worker("").model is model
        assert session.worker(model.name).model is model
        with pytest.raises(InputError, match="choose from"):
            session.worker("gpt2")
    finally:
        session.close()


def test_two_models_of_one_name_are_refused() -> None:
    model = small("llama")
    with pytest.raises(InputError, match="the same name"):
        Session([model, model])
