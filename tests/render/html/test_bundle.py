"""Modules of the viewer as one script."""

import pytest

from attnscope.render.html import bundle


def _files(monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> None:
    monkeypatch.setattr(bundle, "viewer", files.__getitem__)


def test_modules_stand_after_those_that_they_import(monkeypatch: pytest.MonkeyPatch) -> None:
    _files(
        monkeypatch,
        {
            "t/first.js": 'import { two } from "../second.js";\nexport const one = two + 1;\n',
            "second.js": "const hidden = 1;\nexport const two = hidden + 1;\nexport function three() {}\n",
        },
    )
    assert bundle.script("t/first.js", "second.js") == (
        "const $second = (() => {\nconst hidden = 1;\nconst two = hidden + 1;\nfunction three() {}\n"
        "return { two, three };\n})();\n"
        "const $first = (() => {\nconst { two } = $second;\nconst one = two + 1;\nreturn { one };\n})();"
    )


def test_two_modules_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _files(
        monkeypatch,
        {
            "t/clash.js": 'import { a } from "./svg.js";\nimport { b } from "../svg.js";\n',
            "t/svg.js": "export const a = 1;\n",
            "svg.js": "export const b = 1;\n",
        },
    )
    with pytest.raises(ValueError, match=r'"t/svg.js" and "svg.js" would both be "const \$svg" on a page'):
        bundle.script("t/clash.js")
