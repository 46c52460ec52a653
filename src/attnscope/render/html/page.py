"""What every page is made of: colours, inert data, and a policy that allows nothing but the page's own parts."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attnscope.errors import InputError
from attnscope.render.colours import DARK_SIGNED, LIGHT_SIGNED, colours_for, text_on
from attnscope.render.content.caption import Caption
from attnscope.render.html.bundle import page_script, template, viewer
from attnscope.render.html.escape import Markup, attributes, el, filled, joined, raw_text
from attnscope.render.html.languages import in_languages
from attnscope.translation import say, spoken

# In a <script>, `<` and `>` could end the element or open a comment; to old JavaScript the two separators are newlines.
JSON_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def policy(code: str, style: str) -> str:
    """A content security policy: this script and this style by their hashes, pictures that it drew, nothing else."""
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src blob:; "
        f"script-src '{digest(code)}'; style-src '{digest(style)}'"
    )


def framed(body: Markup, *, title: str, style: str, policy: str, root: Markup) -> Markup:
    """A document without its end. root: attributes of the root element."""
    return filled(viewer("frame.html"), body=body, title=title.strip(), style=raw_text(style), policy=policy, root=root)


def reading_page(
    name: str,
    shown: Callable[[], Mapping[str, Any]],
    *,
    root: Callable[[], Markup],
    style: Sequence[str],
    module: str,
    document: str,
    lang: str | None,
) -> bytes:
    """A page that reads as text, with its data beside it, UTF-8: the viewer's body `name`, with its parts.

    shown: the parts of `reading_body`, in the language that is spoken. root: the root element's attributes.
    style: rules, and names of the viewer's style sheets. module: the viewer's module that starts the page.
    lang: the page's language; None: that of the reader's browser.
    """
    code = page_script(module)
    sheet = sheets("base.css", *style)

    def page() -> Markup:
        parts = shown()
        body = reading_body(name, **parts)
        return framed(body, title=parts["title"], style=sheet, policy=policy(code, sheet), root=root())

    data = filled(viewer("reading/data.html"), json=inert(document), script=raw_text(code))
    return joined((in_languages(page, code, lang), data)).encode("utf-8", "replace")


def sheets(*parts: str) -> str:
    """Style sheets of the viewer, by their names, and rules, as one."""
    return "\n".join(viewer(part) if part.endswith(".css") else part for part in parts)


def reading_body(
    name: str,
    *,
    title: str,
    facts: Markup | None = None,
    choice: Markup | None = None,
    keys: Sequence[tuple[str, str]] | None = None,
    **parts: str,
) -> Markup:
    """What such a page shows, without its data and its script.

    facts: how the result was made. keys: the page's keys and what they do, for its help. A page with keys also has a
    field to find words and a place for settings: `choice` and the buttons that save. None for a page of tables.
    parts: texts, which are escaped, and Markup.
    """
    return filled(
        template("reading/reading.html"),
        title=title.strip(),
        tools="" if keys is None else filled(template("reading/search.html")),
        more=joined((_help_button(), _more_button())) if keys is not None else _SAVE_BUTTONS,
        facts=el("dl", {"class": "facts", "lang": spoken()}, facts) if facts else "",
        body=filled(template(name).strip(), **parts, settings="" if keys is None else _settings(choice)),
        help="" if keys is None else _help(keys),
    )


_LINE_END = Markup("\n")
_SAVE_BUTTONS = joined(
    (el("button", {"data-part": "save-csv"}, "CSV"), " ", el("button", {"data-part": "save-json"}, "JSON"))
)


def _help_button() -> Markup:
    return el("button", {"data-part": "help-open", "aria-label": say("Help"), "aria-keyshortcuts": "?"}, "?")


def _more_button() -> Markup:
    return el("button", {"data-part": "more", "aria-expanded": "false"}, say("More"))


def _settings(choice: Markup | None) -> Markup:
    return filled(template("reading/settings.html"), choice=choice or "")


def _help(keys: Sequence[tuple[str, str]]) -> Markup:
    return filled(template("reading/help.html"), keys=definitions(keys))


def definitions(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Facts as a `<dl>` of names and values."""
    return joined(el("div", None, el("dt", None, name), el("dd", None, said)) for name, said in pairs)


def chosen(label: str, name: str, options: Sequence[tuple[str, str]]) -> Markup:
    """A choice among a page's settings; the first option is chosen. options: values of the state, and their names."""
    radios = (el("label", None, radio(name, value, i == 0), said) for i, (value, said) in enumerate(options))
    return joined((el("fieldset", {"aria-label": label}, radios), _LINE_END))


def radio(name: str, value: str, checked: bool) -> Markup:
    """One radio button of a choice; `name` is its key in the page's state."""
    return el(
        "input",
        {
            "type": "radio",
            "name": name,
            "value": value,
            "data-state": name,
            "autocomplete": "off",
            "checked": checked,
        },
    )


def bar(percent: float, step: str | None = None) -> Markup:
    """A bar of a ranking; `step`: the class of its colour."""
    box = {"class": step, "width": f"{percent:.4g}", "height": 8}
    return el("svg", {"viewBox": "0 0 100 8", "preserveAspectRatio": "none", "aria-hidden": "true"}, el("rect", box))


def span_bar(low: float, middle: float, high: float) -> Markup:
    """A bar from `low` to `high`, in per cent, with a line at `middle`."""
    box = {"x": f"{low:.4g}", "width": f"{max(0.5, high - low):.4g}", "height": 8}
    mark = {"class": "mark", "x": f"{max(0.0, middle - 1):.4g}", "width": 2, "height": 8}
    return el(
        "svg",
        {"viewBox": "0 0 100 8", "preserveAspectRatio": "none", "aria-hidden": "true"},
        joined((el("rect", box), el("rect", mark))),
    )


def ticks(*numbers: str) -> Markup:
    """The numbers below the colours of the legend."""
    return joined(el("span", None, number) for number in numbers)


def paragraphs(notes: Iterable[str]) -> Markup:
    """Each note as a paragraph."""
    return joined(el("p", None, note.strip()) for note in notes)


def inert(document: str) -> Markup:
    """JSON that is safe inside a `<script type="application/json">`."""
    # Dropping the spaces of to_json saves half a megabyte at 30,000 tokens.
    compact = json.dumps(json.loads(document), ensure_ascii=False, separators=(",", ":"))
    return raw_text(compact.translate(JSON_ESCAPES).encode("utf-8", "backslashreplace").decode())


def colour_rules(signed: bool, within: str = "") -> str:
    """The colour map as CSS: variables of the page, and the classes s0 … s63; only inside the selector `within`."""
    light_map, dark_map = colours_for(signed, False), colours_for(signed, True)
    names = ("page", "ink", "muted")
    pairs = zip(*((m.background, m.ink, m.muted) for m in (light_map, dark_map)), strict=True)
    variables = ";".join(f"--{n}:light-dark({a},{b})" for n, (a, b) in zip(names, pairs, strict=True))
    rules = [f"{within or ':root'}{{{variables}}}"]
    inside = f"{within} " if within else ""
    for i, (light, dark) in enumerate(zip(light_map.steps, dark_map.steps, strict=True)):
        rules.append(
            f"{inside}.s{i}{{--b:light-dark({light},{dark});--t:light-dark({text_on(light)},{text_on(dark)})}}"
        )
    rules.append(f"{inside}.ramp{{background:{_ramp(signed)}}}")
    return "\n".join(rules)


def signed_rules() -> str:
    """The diverging colours in addition to the others: the classes d0 … d63, and a ramp of their own."""
    pairs = enumerate(zip(LIGHT_SIGNED.steps, DARK_SIGNED.steps, strict=True))
    steps = (f".d{i}{{--b:light-dark({a},{b});--t:light-dark({text_on(a)},{text_on(b)})}}" for i, (a, b) in pairs)
    return "\n".join((*steps, f".ramp.signed{{background:{_ramp(True)}}}"))


def _ramp(signed: bool) -> str:
    pairs = zip(colours_for(signed, False).steps, colours_for(signed, True).steps, strict=True)
    return f"linear-gradient(to right,{','.join(f'light-dark({a},{b})' for a, b in pairs)})"


def sizes(max_line_chars: int, font_size: float) -> str:
    """The widths of text and letters as CSS. Raises InputError for a value that is not positive."""
    if max_line_chars < 1 or font_size <= 0:
        raise InputError(
            f"max_line_chars={max_line_chars!r}, font_size={font_size!r}: both must be positive, such as 80 and 18"
        )
    return f":root{{--measure:{max_line_chars}ch;--size:{font_size / 16:g}rem}}"


def root(lang: str, dark: bool | None, signed: bool = False) -> Markup:
    """The root element's attributes: language, kind of colours, theme; `dark` None leaves it to the reader's system."""
    theme = {None: None, True: "dark", False: "light"}[dark]
    return attributes({"lang": lang, "data-theme": theme, "data-signed": signed, "class": "viewer"})


def facts(pairs: Iterable[tuple[str, str]]) -> Markup:
    """How a result was made, in the caption."""
    return definitions((say(name.strip()), value.strip()) for name, value in pairs)


def provenance(caption: Caption) -> Markup:
    """What a result was made with, at the foot of the page."""
    return joined(el("span", None, name.strip(), " ", value.strip()) for name, value in caption.provenance)


def language(text: str) -> str:
    """The page's language, for fonts, line breaks and screen readers: Japanese if the text has kana, else English, the
    language of the page's own words."""
    return "ja" if any("\u3041" <= c <= "\u30ff" for c in text) else "en"


def own_language(text: str) -> str:
    """The text's own language; "" where it is not known."""
    return language(text) if text.isascii() or language(text) == "ja" else ""


def digest(source: str) -> str:
    """The hash by which a policy names a script or a style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
