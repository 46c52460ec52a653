"""`attnscope serve`."""

import os
import signal
import subprocess
import sys
import urllib.request

import pytest
from command_line import failed


def test_other_machines_are_let_in_on_purpose_only() -> None:
    assert "add --allow-remote" in failed("serve", "--host", "0.0.0.0")
    assert "given twice" in failed("serve", "-m", "x", "-m", "x")


@pytest.mark.slow
def test_it_prints_one_address_that_opens_the_page_and_ctrl_c_ends_it(folder: str) -> None:
    command = [sys.executable, "-m", "attnscope", "serve", "--port", "0", "--model", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stdout.readline().decode().strip()
        try:
            opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            with opener.open(address, timeout=30) as page:
                assert b"Playground" in page.read()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stdout.read() == b""
        assert process.stderr.read() == b"attnscope: the playground is there; Ctrl-C stops it\n"
