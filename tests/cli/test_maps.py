"""`attnscope maps`."""

from pathlib import Path

from command_line import TEXT, failed, run

import attnscope as ats


def test_maps_are_kept_drawn_again_and_printed(smollm2: ats.Model, tmp_path: Path) -> None:
    out = tmp_path / "maps.safetensors"
    done = run("maps", TEXT, "--layers", "0,3-4", "--heads", "2", "-o", str(out))
    assert done.returncode == 0, done.stderr
    kept = ats.AttentionMaps.load(out)
    ours = ats.attention_maps(smollm2, TEXT, layers=[0, 3, 4], heads=[2])
    assert kept.layers == (0, 3, 4)
    assert abs(kept.weights(4, 2) - ours.weights(4, 2)).max() < 1e-6
    for suffix in ("html", "png", "svg", "pdf"):
        drawn = run("render", str(out), "-o", str(tmp_path / f"maps.{suffix}"))
        assert drawn.returncode == 0, drawn.stderr
        assert (tmp_path / f"maps.{suffix}").stat().st_size > 1000
    printed = run("maps", TEXT, "--statistics-only").stdout.decode().splitlines()
    assert printed[0].split("\t")[:2] == ["layer", "head"]
    assert len(printed) == 1 + 30 * 9


def test_maps_say_what_is_wrong(tmp_path: Path) -> None:
    assert "such as 0,3,5-8" in failed("maps", TEXT, "--layers", "a")
    assert "layers 0 to 29" in failed("maps", TEXT, "--layers", "30")
    assert "expected one of .html .png" in failed("maps", TEXT, "-o", str(tmp_path / "x.docx"))


def test_maps_take_a_font(tmp_path: Path) -> None:
    drawn = run("maps", TEXT, "--layers", "3", "--heads", "1", "--font", "DejaVu Serif", "-o", str(tmp_path / "m.svg"))
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "m.svg").stat().st_size > 1000
