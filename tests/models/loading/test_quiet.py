"""While a model is loaded, other libraries say nothing; afterwards they are as they were, whatever happened."""

import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from huggingface_hub import logging as hub_logging
from transformers.utils import logging as transformers_logging

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models.loading.quiet import quiet
from attnscope.models.progress import InNotebook, steps_heard

hub = import_module("huggingface_hub.utils.tqdm")
gguf = import_module("transformers.modeling_gguf_pytorch_utils")


def settings() -> dict[str, Any]:
    return {
        "transformers": transformers_logging.get_verbosity(),
        "hub": hub_logging.get_verbosity(),
        "bars": transformers_logging.is_progress_bar_enabled(),
        "hub's bars": (hub.tqdm, dict(hub.progress_bar_states)),
        "gguf": gguf.tqdm,
    }


@pytest.fixture
def own_settings() -> Iterator[dict[str, Any]]:
    """Those of a user who wants to know everything, but of one group of downloads."""
    before = transformers_logging.get_verbosity(), hub_logging.get_verbosity(), dict(hub.progress_bar_states)
    transformers_logging.set_verbosity_info()  # type: ignore[no-untyped-call]
    hub_logging.set_verbosity_debug()
    hub.progress_bar_states["peft.foo"] = False
    yield settings()
    transformers_logging.set_verbosity(before[0])
    hub_logging.set_verbosity(before[1])
    hub.progress_bar_states.clear()
    hub.progress_bar_states.update(before[2])


def test_inside_nothing_is_shown_and_afterwards_all_is_as_before(own_settings: dict[str, Any]) -> None:
    with quiet():
        assert settings()["transformers"] == settings()["hub"] == transformers_logging.ERROR
        assert not settings()["bars"]
        assert settings()["hub's bars"] == own_settings["hub's bars"]
        with pytest.raises(ModelError):
            ats.load("./no/such/folder")
        assert not settings()["bars"], "the outer one is not done yet"
    assert settings() == own_settings
    with pytest.raises(ModelError):
        ats.load("./no/such/folder")
    assert settings() == own_settings


def test_of_loads_at_once_the_last_one_puts_back_what_the_first_one_found(own_settings: dict[str, Any]) -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with quiet():
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=other)
    with quiet():
        thread.start()
        inside.wait(60)
    assert not settings()["bars"]
    assert settings()["hub"] == transformers_logging.ERROR
    # Who unpacks a file of their own meanwhile has the bar that they would have had.
    assert type(gguf.tqdm(range(3), disable=True)) is own_settings["gguf"]
    leave.set()
    thread.join()
    assert settings() == own_settings


def test_weights_of_a_gguf_file_have_our_bar() -> None:
    heard: list[tuple[str, int, int]] = []
    with steps_heard(lambda *step: heard.append(step)), quiet():
        assert list(gguf.tqdm([4, 5], desc="theirs")) == [4, 5]
    assert heard == [("unpacking weights", 0, 2), ("unpacking weights", 1, 2), ("unpacking weights", 2, 2)]


def test_in_a_notebook_a_download_has_our_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made as the hub makes it, also where the user has turned it off."""

    def made() -> Any:
        return hub._get_progress_bar_context(desc="weights", log_level=30, total=9, name="peft.foo")

    with quiet():
        assert not isinstance(made(), InNotebook), "this is no notebook"
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", import_module("attnscope"))
    with quiet():
        with made() as bar:
            assert isinstance(bar, InNotebook)
            assert not bar.leave
            bar.update(3)
        monkeypatch.setitem(hub.progress_bar_states, "peft", False)
        with made() as bar:
            assert bar.disable
    assert not isinstance(made(), InNotebook)
