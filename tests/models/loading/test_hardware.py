"""Free memory, its release, huge pages, and the speed that estimates build on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import tiny

import attnscope as ats
from attnscope.models.loading import hardware

CPU = torch.device("cpu")


def test_free_memory_is_that_of_the_machine_or_the_smaller_limit_of_its_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    free = hardware.free_memory(CPU)
    assert free is not None
    assert 0 < free <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit, used = tmp_path / "memory.max", tmp_path / "memory.current"
    monkeypatch.setattr(hardware, "_LIMITS", (str(limit),))
    monkeypatch.setattr(hardware, "_USED", (str(used),))
    used.write_text("1000")
    limit.write_text("5000\n")
    assert hardware.free_memory(CPU) == 4000
    limit.write_text("900\n")
    assert hardware.free_memory(CPU) == 0
    limit.write_text("max\n")
    assert (hardware.free_memory(CPU) or 0) > 4000


def test_freed_memory_goes_back_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    trims: list[int] = []
    monkeypatch.setattr(hardware, "_malloc_trim", lambda: trims.append)
    hardware.release_freed_memory()
    assert trims == [0]
    monkeypatch.setattr(hardware, "_malloc_trim", lambda: None)
    hardware.release_freed_memory()  # another C library has nothing to call


def test_the_speed_is_measured_once() -> None:
    products, elements = hardware.speed(CPU)
    assert products > elements > 0
    assert hardware.speed(CPU) == (products, elements)


def test_large_buffers_are_in_huge_pages(tmp_path: Path) -> None:
    """Linux marks memory that was asked for in huge pages ("hg"), whether or not this system then gives any."""
    net = tiny("llama")
    net.save_pretrained(tmp_path)
    watch(net)  # saving writes the class and dtype into its config
    copy_tokenizer().save_pretrained(tmp_path)
    code = f"""
import json, os, pathlib, torch, attnscope
attnscope.load({str(tmp_path)!r})
large = torch.ones(2**26)
asked = size = 0
smaps = pathlib.Path("/proc/self/smaps")
for line in smaps.read_text().splitlines() if smaps.exists() else ():
    name, *values = line.split()
    size = int(values[0]) if name == "Size:" else size
    asked += size if name == "VmFlags:" and "hg" in values else 0
print(json.dumps([os.environ["THP_MEM_ALLOC_ENABLE"], asked]))
"""
    env = {k: v for k, v in os.environ.items() if k != "THP_MEM_ALLOC_ENABLE"}
    done = subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True)
    setting, asked = json.loads(done.stdout)
    assert setting == "1"
    if Path("/sys/kernel/mm/transparent_hugepage").exists():
        assert asked >= 2**18  # kB: all of the tensor


def test_the_users_choice_of_pages_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    net = tiny("llama")
    net.save_pretrained(tmp_path)
    watch(net)
    copy_tokenizer().save_pretrained(tmp_path)
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "0")
    ats.load(tmp_path)
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "0"
