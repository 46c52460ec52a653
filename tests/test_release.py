"""What a release says of itself agrees: one version, files that are there, forms that ask for what is needed."""

import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
INCLUDED = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
FORMS = sorted(path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")


def test_the_citation_has_the_projects_version_and_licence() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["license"] == PROJECT["project"]["license"]
    assert citation["authors"]


def test_the_sdist_includes_what_is_there() -> None:
    assert [name for name in INCLUDED if not (ROOT / name).exists()] == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="an sdist has no list of what the repository holds")
def test_the_sdist_is_the_whole_repository() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    # What hatchling brings by itself.
    assert {path.split("/")[0] for path in listed.splitlines()} - {".gitignore", "pyproject.toml"} == set(INCLUDED)


def test_every_test_that_a_promise_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/.]*)`", (ROOT / "SECURITY.md").read_text("utf-8"))
    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_a_form_has_what_github_asks_of_one(form: Path) -> None:
    read = yaml.safe_load(form.read_text("utf-8"))
    assert {"name", "description", "body"} <= read.keys()
    ids = [field["id"] for field in read["body"]]
    assert len(ids) == len(set(ids))
    assert all(field["attributes"]["label"] for field in read["body"])


@pytest.mark.parametrize("name", ["fault", "model"])
def test_a_report_has_to_say_what_the_machine_is(name: str) -> None:
    body = yaml.safe_load((ROOT / f".github/ISSUE_TEMPLATE/{name}.yml").read_text("utf-8"))["body"]
    (asked,) = [field for field in body if "attnscope doctor" in field["attributes"]["label"]]
    assert asked["validations"]["required"] is True


def test_the_release_publishes_only_a_tag_that_is_checked_and_with_no_secret() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text("utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert jobs["publish"]["needs"] == ["build", "use"]
    assert jobs["use"]["needs"] == "build"
    assert jobs["publish"]["if"] == "github.event_name == 'push'"
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert {"run": "make dist"} in jobs["build"]["steps"]
    assert {"run": ".ci/use python"} in jobs["use"]["steps"]
    used = {jobs["build"]["steps"][1]["with"]["python-version"], *jobs["use"]["strategy"]["matrix"]["python"]}
    named = {line.rsplit(" ", 1)[1] for line in PROJECT["project"]["classifiers"] if "Python :: 3." in line}
    assert used == named
    assert "secrets." not in text


def _package_page() -> Any:
    spec = importlib.util.spec_from_file_location("package_page", ROOT / ".ci/package_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ADDRESS = "https://example.org/them/it"
TARGET = re.compile(r'\]\(([^)\s]+)\)|\b(?:src|srcset|href)="([^"]+)"')


@pytest.mark.parametrize("name", ["README.md", "README.ja.md"])
def test_every_link_of_the_readme_leads_somewhere_from_a_package_index(name: str) -> None:
    """Where the repository is known, into this version's files; elsewhere there is none that could be broken."""
    readme = (ROOT / name).read_text("utf-8")
    targets = [a or b for a, b in TARGET.findall(readme)]
    relative = [target for target in targets if not target.startswith(("https:", "#"))]
    assert len(relative) > 20
    assert [path for path in relative if not (ROOT / path).exists()] == []

    page = _package_page().page
    absolute = [a or b for a, b in TARGET.findall(page(readme, ADDRESS, "1.2.3"))]
    assert len(absolute) == len(targets)
    for before, after in zip(targets, absolute, strict=True):
        kind = "raw" if before.endswith((".png", ".webp")) else "blob"
        assert after == (f"{ADDRESS}/{kind}/v1.2.3/{before}" if before in relative else before)
    without = page(readme, "", "1.2.3")
    assert all((a or b).startswith(("https:", "#")) for a, b in TARGET.findall(without))
    assert "<picture" not in without
    assert len(without) > 0.7 * len(readme)


def test_the_address_is_the_workflows_or_given() -> None:
    repository = _package_page().repository
    workflow = {"GITHUB_SERVER_URL": "https://example.org", "GITHUB_REPOSITORY": "them/it"}
    assert repository({}) == ""
    assert repository(workflow) == ADDRESS
    assert repository({**workflow, "ATTNSCOPE_REPOSITORY": "https://else.org/x/"}) == "https://else.org/x"
    assert PROJECT["project"]["authors"]
    assert set(PROJECT["project"]["dynamic"]) == {"readme", "urls"}
