"""A tiny model in a folder, for commands that ask it much."""

import pytest
from command_line import Run
from planted import copy_tokenizer
from tiny_models import tiny
from typer.testing import CliRunner, Result

from attnscope.cli import app
from attnscope.errors import AttnscopeError


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
