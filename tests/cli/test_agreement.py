"""`attnscope agreement`."""

from pathlib import Path

from command_line import failed, run

import attnscope as ats
from attnscope.render import render
from attnscope.results.agreement import Agreement


def test_saved_results_are_compared(smollm2: ats.Model, tmp_path: Path) -> None:
    text = "The capital of Japan is. It is"
    made = [ats.explain(smollm2, text, method=m, target=" Tokyo") for m in ("gim", "gradient_x_input", "rollout")]
    for i, result in enumerate(made):
        result.save(tmp_path / f"{i}.json")
    saved = [str(tmp_path / f"{i}.json") for i in range(3)]
    done = run("agreement", *saved, "--top", "2", "-o", str(tmp_path / "a.html"), "--json")
    assert done.returncode == 0, done.stderr
    compared = Agreement.from_json(done.stdout.decode())
    assert compared.names == ("gim", "gradient_x_input", "rollout")
    assert (tmp_path / "a.html").read_bytes() == render(compared, ".html")
    compared.save(tmp_path / "a.json")
    assert run("render", str(tmp_path / "a.json")).stdout.decode() == compared.table()
    assert "two or more" in failed("agreement", saved[0])
    assert "cannot read" in failed("agreement", saved[0], str(tmp_path / "none.json"))
