"""What every page is made of: colours, escaping, inert data, and a policy that forbids all but the page's own parts."""

import base64
import hashlib
import html
import json
from functools import cache
from importlib import resources

from attnscope.colours import colours_for, text_on
from attnscope.render.layout import visible

# In a <script>, `<` and `>` could end the element or open a comment; the two separators ended lines in old JavaScript.
_JSON_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def policy(script: str, style: str) -> str:
    """A content security policy: this script and this style, by their hashes, and nothing else."""
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"script-src '{digest(script)}'; style-src '{digest(style)}'"
    )


def framed(page: bytes, title: str, height: int) -> str:
    """The page in an `<iframe srcdoc>`."""
    return (
        f'<iframe title="{attribute(title)}" width="100%" height="{height}" '
        'style="border:0;border-radius:8px" sandbox="allow-scripts allow-downloads" '
        f'srcdoc="{html.escape(page.decode())}"></iframe>'
    )


def inert(document: str) -> str:
    """JSON that can stand in a `<script type="application/json">`."""
    # Without the spaces of to_json: half a megabyte at 30,000 tokens.
    compact = json.dumps(json.loads(document), ensure_ascii=False, separators=(",", ":"))
    return compact.translate(_JSON_ESCAPES).encode("utf-8", "backslashreplace").decode()


def colour_rules(signed: bool) -> str:
    """The colour map as css: variables of the page, and the classes s0 … s63."""
    light_map, dark_map = colours_for(signed, False), colours_for(signed, True)
    names = ("page", "ink", "muted")
    pairs = zip(*((m.background, m.ink, m.muted) for m in (light_map, dark_map)), strict=True)
    rules = [":root{" + ";".join(f"--{n}:light-dark({a},{b})" for n, (a, b) in zip(names, pairs, strict=True)) + "}"]
    for i, (light, dark) in enumerate(zip(light_map.steps, dark_map.steps, strict=True)):
        rules.append(f".s{i}{{--b:light-dark({light},{dark});--t:light-dark({text_on(light)},{text_on(dark)})}}")
    for name, steps in (("light", light_map.steps), ("dark", dark_map.steps)):
        rules.append(f".bar.{name}{{background:linear-gradient(to right,{','.join(steps)})}}")
    return "\n".join(rules)


def shown(text: str) -> str:
    """Escaped, on one line, with control characters made visible."""
    return html.escape(visible(text.strip()), quote=False)


def attribute(text: str) -> str:
    """The same for the value of an attribute."""
    return html.escape(visible(text), quote=True)


def digest(source: str) -> str:
    """The hash by which a policy names a script or a style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


@cache
def viewer(name: str) -> str:
    """A file of the viewer."""
    return (resources.files("attnscope.render") / "viewer" / name).read_text("utf-8")
