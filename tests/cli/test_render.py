"""`attnscope render`."""

import subprocess
import sys
from pathlib import Path

from command_line import TEXT, failed, run
from drawn_results import result

import attnscope as ats
from attnscope.render import render


def test_render_draws_a_saved_result_without_torch(tmp_path: Path) -> None:
    saved = tmp_path / "g.json"
    saved.write_bytes(run("gradient", TEXT, "--json").stdout)
    code = (
        "import sys; sys.argv = ['attnscope', 'render', 'g.json', '-o', 'g.svg']\n"
        "from attnscope.cli import COMMANDS, main\n"
        "try: main()\n"
        "except SystemExit as e: sys.exit(e.code or ('torch' in sys.modules) or ('transformers' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"castle" in (tmp_path / "g.svg").read_bytes() or (tmp_path / "g.svg").stat().st_size > 1000


def test_a_damaged_file_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"schema": 1, "kind"')
    assert "not JSON" in failed("render", str(tmp_path / "x.json"))


def test_a_result_by_token_is_drawn_again(smollm2: ats.Model, tmp_path: Path) -> None:
    text = "The capital of Japan is. It is"
    each = ats.explain(smollm2, text, method="gradient", target=" Tokyo and", per_token=True)
    each.save(tmp_path / "each.json")
    assert run("render", str(tmp_path / "each.json"), "-o", str(tmp_path / "each.html")).returncode == 0
    assert (tmp_path / "each.html").read_bytes() == render(each, ".html")
    assert run("render", str(tmp_path / "each.json"), "-o", str(tmp_path / "each.svg")).returncode == 0
    assert (tmp_path / "each.svg").read_bytes() == render(each, ".svg")


def test_a_figure_for_a_paper_and_what_it_cites(tmp_path: Path) -> None:
    saved = tmp_path / "castle.json"
    castle = result("the old castle on the hill")
    castle.save(saved)
    how = ["--width", "column", "--no-caption", "--no-legend"]
    assert run("render", str(saved), "-o", str(tmp_path / "castle.pdf"), *how).returncode == 0
    expected = render(castle, ".pdf", width="column", caption=False, legend=False)
    assert (tmp_path / "castle.pdf").read_bytes() == expected
    assert run("render", str(saved), "-o", str(tmp_path / "castle.bib")).returncode == 0
    assert castle.cite().bibtex in (tmp_path / "castle.bib").read_text(encoding="utf-8")
    said = failed("render", str(saved), "-o", str(tmp_path / "castle.pdf"), "--width", "colum")
    assert 'expected "column", "page" or inches' in said
    assert "has no option 'width'" in failed(
        "render", str(saved), "-o", str(tmp_path / "castle.html"), "--width", "page"
    )
