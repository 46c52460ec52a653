"""The bundled model, loaded once; a tiny model in a folder, for commands that ask it much."""

from typing import Any

import pytest
from command_line import Run
from planted import copy_tokenizer
from tiny_models import tiny
from typer.testing import CliRunner, Result

import attnscope as ats
from attnscope.cli import app
from attnscope.errors import AttnscopeError


@pytest.fixture(autouse=True)
def _the_bundled_model_is_loaded_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For commands called in this process: one in a process of its own still loads it."""
    load = ats.load

    def loaded(name: str | None = None, **options: Any) -> ats.Model:
        if name is None and not any(options.values()):
            model: ats.Model = request.getfixturevalue("smollm2")
            return model
        return load(name, **options)

    monkeypatch.setattr(ats, "load", loaded)


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model")
    tiny("llama", sharp=2.0).save_pretrained(path)
    copy_tokenizer().save_pretrained(path)
    return str(path)


@pytest.fixture
def run_tiny(folder: str) -> Run:
    def call(*arguments: str, model: bool = True) -> Result:
        done = CliRunner().invoke(app, [*arguments, *(["--model", folder] if model else [])])
        if isinstance(done.exception, AttnscopeError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done

    return call
