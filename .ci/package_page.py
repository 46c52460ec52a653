"""What a package index shows: the README with links that lead somewhere from there. Run by hatchling when it builds.

Where the repository is, a release's workflow knows: GITHUB_SERVER_URL and GITHUB_REPOSITORY, or ATTNSCOPE_REPOSITORY
set by hand. Then pictures and links lead into the tag of this version, and the metadata has the addresses.
Built anywhere else, the page has no address that could be wrong: links become their texts, and pictures are left out.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_PICTURE = re.compile(r"\n?!\[[^\]]*\]\((?![a-z]+:|#)([^)\s]+)\)\n?|\n?<picture>.*?</picture>\n?", re.DOTALL)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)")
_ATTRIBUTE = re.compile(r'\b(src|srcset|href)="(?![a-z]+:|#)([^"]+)"')


def repository(environment: Mapping[str, str]) -> str:
    """The address of the repository, or "" where nobody has said it."""
    if given := environment.get("ATTNSCOPE_REPOSITORY"):
        return given.rstrip("/")
    server, name = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    return f"{server}/{name}" if server and name else ""


def page(readme: str, address: str, version: str) -> str:
    """The README with every relative link made absolute, or without them where there is no address."""
    if not address:
        return _LINK.sub(r"\2", _PICTURE.sub("\n", readme))
    files, pictures = (f"{address}/{kind}/v{version}/" for kind in ("blob", "raw"))
    attributes = _ATTRIBUTE.sub(
        lambda found: f'{found[1]}="{files if found[1] == "href" else pictures}{found[2]}"', readme
    )
    return _LINK.sub(lambda found: f"{found[1]}[{found[2]}]({pictures if found[1] else files}{found[3]})", attributes)


class PackagePage(MetadataHookInterface):
    """Fills in the README and the addresses."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling with the metadata of pyproject.toml."""
        address = repository(os.environ)
        readme = Path(self.root, "README.md").read_text("utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": page(readme, address, metadata["version"]),
        }
        if address:
            metadata["urls"] = {
                "Source": address,
                "Changes": f"{address}/blob/v{metadata['version']}/CHANGELOG.md",
                "Issues": f"{address}/issues",
            }
