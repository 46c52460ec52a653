"""Which installed font draws which character of a figure.

Imports matplotlib and changes none of its state, except that it adds fonts installed after matplotlib cached its list.
"""

import difflib
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.font_manager import findSystemFonts, fontManager, get_font

from attnscope.errors import InputError, SpokenWarning
from attnscope.render.content.pieces import column
from attnscope.translation import spoken

_LATIN = ("Inter", "Helvetica Neue", "Segoe UI", "Noto Sans", "Liberation Sans", "Arial", "DejaVu Sans")
_CJK = (
    "Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans JP", "Source Han Sans", "IPAexGothic", "IPAGothic",
    "Hiragino Sans", "Hiragino Kaku Gothic ProN", "Yu Gothic", "Meiryo", "MS Gothic", "TakaoGothic", "VL Gothic",
    "Noto Sans CJK SC", "Noto Sans CJK KR", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC", "Malgun Gothic",
)  # fmt: skip
_SYMBOLS = ("Noto Emoji", "Symbola", "Segoe UI Symbol", "Apple Symbols", "Noto Sans Symbols 2", "STIXGeneral")
_FONT_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_UNKNOWN = "\u25a1"
# Letters of what a figure says itself, in languages that the first fonts may not have.
_SPOKEN = {"ja": "層ヘッド、。「」（）：～"}


class MissingGlyphWarning(SpokenWarning):
    """No installed font draws some characters of the text: they are drawn as empty boxes."""


class Fonts:
    """An ordered list of font files; `runs` cuts a text into stretches by the first file that has each character.

    font: path of a font file or an installed family, tried before all others; None for a good default.
    families: further families, tried next where they are installed.
    """

    def __init__(self, font: str | Path | None, text: str, families: Sequence[str] = ()) -> None:
        text += _SPOKEN.get(spoken(), "")
        self._paths = _preferred(font, text, families)
        if self._missing(text) and _newly_installed():
            self._paths = _preferred(font, text, families)
        if missing := self._missing(text):
            self._paths += _any_with(missing)
            _warn(self._missing(text))

    def runs(self, text: str) -> Iterator[tuple[str, str]]:
        """(stretch of text, path of its font), in order. A character that no font has becomes an empty box, or nothing
        if it is an invisible joiner or selector."""
        current, stretch = self._paths[0], ""
        # Shaping swallows a byte order mark, and matplotlib's pdf then looks for its glyph in vain.
        for character in text.replace("\ufeff", ""):
            path = self._path(character, current)
            if path is None:
                if _invisible(character):
                    continue
                character, path = _UNKNOWN, self._path(_UNKNOWN, current) or current
            if path != current:
                if stretch:
                    yield stretch, current
                current, stretch = path, ""
            stretch += character
        if stretch:
            yield stretch, current

    def families(self) -> list[str]:
        """The families' names, in order, for texts that matplotlib itself lays out."""
        names = dict.fromkeys(get_font(path).family_name for path in self._paths)
        return [name for name in names if _installed(name)]  # a file that was given need not be

    def width(self, text: str, size: float) -> float:
        """The width of a text of this size, in points."""
        return sum(advance(part, path) for part, path in self.runs(text)) * size

    def wrapped(self, text: str, size: float, room: float) -> list[str]:
        """The text in lines of at most `room` points, broken at spaces and between East Asian letters, and anywhere in
        a word that is longer than a line. Line breaks stay."""
        lines = []
        for paragraph in text.split("\n"):
            line = ""
            for part in _parts(paragraph):
                if self.width((line + part).rstrip(), size) <= room or not line.strip():
                    line += part
                else:
                    lines.append(line.rstrip())
                    line = part.lstrip()
                while self.width(line.rstrip(), size) > room and len(line.rstrip()) > 1:
                    fits = next(n for n in range(len(line) - 1, 0, -1) if n == 1 or self.width(line[:n], size) <= room)
                    lines.append(line[:fits])
                    line = line[fits:]
            lines.append(line.rstrip())
        return lines

    def shortened(self, text: str, size: float, room: float) -> str:
        """The beginning of the text that has room in so many points, with an ellipsis where it was longer."""
        if self.width(text, size) <= room:
            return text
        while text and self.width(text + "…", size) > room:
            text = text[:-1]
        return text.rstrip() + "…"

    def is_postscript(self, family: str) -> bool:
        """Whether a family of `families` has PostScript outlines."""
        return any(has_postscript_outlines(path) for path in self._paths if get_font(path).family_name == family)

    def has_postscript_outlines(self, text: str) -> bool:
        """Whether any of its letters comes from a font with PostScript outlines."""
        return any(map(has_postscript_outlines, {path for _, path in self.runs(text)}))

    def _path(self, character: str, current: str) -> str | None:
        code = ord(character)
        # A mark or a joiner is shaped together with the letter before it, so it stays with that letter's font.
        if unicodedata.category(character)[0] in "MCZ" and code in _covers(current):
            return current
        return next((path for path in self._paths if code in _covers(path)), None)

    def _missing(self, text: str) -> set[str]:
        return {c for c in set(text) if not c.isspace() and not _invisible(c) and self._path(c, self._paths[0]) is None}


@cache
def has_postscript_outlines(path: str) -> bool:
    """Whether a font has PostScript outlines (CFF), as most Noto and Source Han fonts have.

    matplotlib embeds such a font in a pdf as if it were TrueType, which Acrobat refuses.
    """
    with Path(path).open("rb") as file:
        kind = file.read(4)
        if kind == b"ttcf":
            file.seek(12 + 4 * getattr(path, "face_index", 0))
            file.seek(int.from_bytes(file.read(4)))
            kind = file.read(4)
    return kind == b"OTTO"


def _parts(paragraph: str) -> Iterator[str]:
    """A paragraph cut where a line may end."""
    part = ""
    for i, character in enumerate(paragraph):
        part += character
        after = paragraph[i + 1 : i + 2]
        closes = unicodedata.category(after)[:1] == "P" if after else True
        if after and not after.isspace() and (character.isspace() or (column(character) == 2 and not closes)):
            yield part
            part = ""
    if part:
        yield part


@cache
def advance(text: str, path: str) -> float:
    """The advance width of `text` in ems."""
    from matplotlib.textpath import text_to_path

    font = font_manager.FontProperties(fname=path, size=100)
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0]) / 100


def _preferred(font: str | Path | None, text: str, own: Sequence[str]) -> list[str]:
    families = (*_CJK, *_LATIN) if _is_cjk(text) else (*_LATIN, *_CJK)
    chosen = [_given(font)] if font is not None else []
    chosen += [path for name in (*own, *families, "DejaVu Sans", *_SYMBOLS) if (path := _installed(name))]
    return list(dict.fromkeys(chosen))


def _given(font: str | Path) -> str:
    path = Path(font).expanduser()
    if path.suffix.lower() in _FONT_SUFFIXES or path.is_file():
        if not path.is_file():
            raise InputError(f"font={str(font)!r}: there is no such file; give a .ttf, .otf or .ttc file or a family")
        try:
            get_font(str(path))
        except (RuntimeError, OSError, ValueError) as error:
            raise InputError(f"font={str(font)!r} is not a font that can be read ({error}); give another") from error
        return str(path)
    installed = _installed(str(font))
    if installed is None and _newly_installed():
        installed = _installed(str(font))
    if installed is None:
        names = sorted({entry.name for entry in fontManager.ttflist})
        near = difflib.get_close_matches(str(font), names, 3, 0.4)
        hint = f"; the nearest installed are {', '.join(near)}" if near else ""
        raise InputError(f"font={str(font)!r} is neither a font file nor an installed family{hint}")
    return installed


@lru_cache
def _installed(family: str) -> str | None:
    entries = [e for e in fontManager.ttflist if e.name.casefold() == family.casefold()]
    plain = [e for e in entries if e.style == "normal"]
    best = min(
        plain or entries, key=lambda e: abs(int(e.weight) - 400) if str(e.weight).isdigit() else 999, default=None
    )
    if best is None:
        return None
    # A face of a collection, which matplotlib lists and can name since 3.11.
    index = getattr(best, "index", 0)
    return font_manager.FontPath(str(best.fname), index) if index else str(best.fname)


@lru_cache(maxsize=64)
def _covers(path: str) -> frozenset[int]:
    return frozenset(get_font(path).get_charmap())


def _any_with(characters: set[str]) -> list[str]:
    """Installed fonts that have what the known ones lack. Each font has to be opened, so this comes last."""
    paths, wanted = [], set(characters)
    entries = sorted(fontManager.ttflist, key=lambda e: (e.name, str(e.fname)))
    for entry in entries:
        # Last Resort has a box for every character; colour fonts have pictures that cannot be drawn as outlines.
        if not wanted or entry.style != "normal" or "Last Resort" in entry.name or "Color" in entry.name:
            continue
        try:
            covered = {c for c in wanted if ord(c) in _covers(str(entry.fname))}
        except (RuntimeError, OSError):
            continue
        if covered:
            paths.append(str(entry.fname))
            wanted -= covered
    return paths


def _newly_installed() -> bool:
    """Adds fonts installed since matplotlib cached its list, for this process; returns whether there are any."""
    known = {str(Path(entry.fname).resolve()) for entry in fontManager.ttflist}
    added = False
    for path in findSystemFonts():
        if str(Path(path).resolve()) in known:
            continue
        try:
            fontManager.addfont(path)
        except (RuntimeError, OSError, ValueError):  # a file that FreeType cannot read
            continue
        added = True
    if added:
        _installed.cache_clear()
    return added


def _warn(missing: set[str]) -> None:
    if not missing:
        return
    if _is_cjk("".join(missing)):
        package = "fonts-noto-cjk or fonts-ipaexfont-gothic"
    elif any(unicodedata.category(c) == "So" for c in missing):
        package = "fonts-symbola"
    else:
        package = "fonts-noto-core"
    shown = " ".join(sorted(missing)[:20]) + (" …" if len(missing) > 20 else "")
    warnings.warn(
        f"no installed font draws {shown}: these are empty boxes in the figure; install a font that has them "
        f"(Debian, Ubuntu: {package}) or pass font=",
        MissingGlyphWarning,
        stacklevel=2,
    )


def _is_cjk(text: str) -> bool:
    return any("\u3041" <= c <= "\u30ff" or "\u3400" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af" for c in text)


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cf", "Cc") or "\ufe00" <= character <= "\ufe0f"
