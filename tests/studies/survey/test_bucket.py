"""A bucket, read and written through pyarrow's S3 file system, on a server of this machine (moto)."""

import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

import attnscope as ats
from attnscope.errors import InputError

# In an environment of its own: what moto needs and what the tests need cannot be installed together.
SERVER = ("moto==5.2.5", "flask==3.1.3", "flask-cors==6.0.5")


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of an S3 server."""
    made = tmp_path_factory.mktemp("server")
    venv.create(made, with_pip=True)
    programs = made / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", *SERVER], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [programs / "moto_server", "-p", str(port)]
    server = subprocess.Popen(command, cwd=made, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, "the server ended"
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["", "/*.parquet"])
def test_a_survey_from_a_bucket_into_a_bucket(
    model: ats.Model, texts: list[str], bucket: str, pattern: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it by a shard, the rest when it goes on: the tables of a run on this machine's disk, to the last bit."""
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    system = fs.S3FileSystem(endpoint_override=bucket, scheme="http", allow_bucket_creation=True)
    root = f"corpora-{len(pattern)}"
    system.create_dir(f"{root}/reviews", recursive=True)
    for number in range(3):
        with system.open_output_stream(f"{root}/reviews/{number}.parquet") as file:
            pq.write_table(pa.table({"text": texts[10 * number : 10 * number + 10]}), file)
    options = f"?endpoint_override={bucket}&scheme=http"
    data, out = f"s3://{root}/reviews{pattern}{options}", f"s3://{root}/out{options}"

    here = ats.survey(model, texts, to=tmp_path / "out", part_texts=4, heads=True)
    half = ats.survey(model, data, to=out, part_texts=4, heads=True, shard="1/2")
    assert not half.complete
    written = {info.path: info.mtime for info in system.get_file_info(fs.FileSelector(f"{root}/out/texts"))}
    whole = ats.survey(model, data, to=out, part_texts=4, heads=True)
    assert whole.complete
    again = {info.path: info.mtime for info in system.get_file_info(fs.FileSelector(f"{root}/out/texts"))}
    assert written.items() <= again.items(), "no part is done twice"
    assert len(again) == 8

    loaded = ats.load_result(out)
    assert loaded.words().equals(here.words())
    assert loaded.heads().equals(here.heads())
    assert loaded.texts().drop_columns("seconds").equals(here.texts().drop_columns("seconds"))
    assert loaded.summary().counts == here.summary().counts
    with pytest.raises(InputError, match="part_texts is 4 there and 5 now"):
        ats.survey(model, data, to=out, part_texts=5, heads=True)
