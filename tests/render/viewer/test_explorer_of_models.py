"""The page of maps with real attention: every view opens, and a hover says what Python says."""

import re
from pathlib import Path

import numpy as np
import pytest
from browsing import EXPLORER_VIEWS as VIEWS
from browsing import near, opened, ready
from planted import copy_tokenizer
from playwright.sync_api import Browser, expect
from tiny_models import small_linear, tiny

import attnscope as ats
from attnscope.render import render
from attnscope.results.attention_maps import AttentionMaps

LICENCE = (Path(__file__).parents[3] / "LICENSE").read_text("utf-8")


def check(browser: Browser, tmp_path: Path, maps: AttentionMaps) -> None:
    layer, head = maps.layers[-1], maps.heads[1]
    fragment = f"#view=head&layer={layer}&head={head}&unit=token&special=1"
    with opened(browser, tmp_path, render(maps, ".html"), fragment) as page:
        ready(page)
        truth = maps.weights(layer, head)
        page.locator("[data-part=stage]").focus()
        for move in ("ArrowDown", "Shift+ArrowDown", "ArrowRight", "Shift+ArrowDown"):
            page.keyboard.press(move)
        q, k = 21, 1
        expect(page.locator("[data-part=tip] div")).to_contain_text(", rank ")
        value, _, count = re.split(", rank | of ", page.locator("[data-part=tip] div").inner_text())
        assert near(value, float(truth[q, k]), float(truth[q].max()))
        assert int(count) == len(maps.keys)
        shown = page.locator("[data-part=top-rows] tr:visible td.value").all_inner_texts()
        best = np.sort(truth[q])[::-1]
        for said, expected in zip(shown, best, strict=False):
            # The order of neighbours may differ within the coding's error, their sizes may not.
            assert near(said, float(expected), float(best[0]))
        for key, view in zip("12345", VIEWS, strict=True):
            page.keyboard.press("Escape")
            page.evaluate("document.activeElement.blur()")
            page.keyboard.press(key)
            expect(page.locator(f"[data-part={view}]")).to_be_visible()
            ready(page)
        expect(page.locator("[data-part=notes]")).to_contain_text("of the attention is kept")


def test_linear_attention_keeps_its_signs(browser: Browser, tmp_path: Path) -> None:
    """Every view of signed maps: values, the legend around 0, and nothing of attention's shares."""
    model = small_linear("qwen3_next")
    maps = ats.attention_maps(model, "a c e g b d f h a c q r s b a c d e g h a", linear=True)
    with opened(browser, tmp_path, render(maps, ".html"), "#view=head&layer=1&head=2&unit=token&special=1") as page:
        ready(page)
        expect(page.locator("[data-part=title]")).to_have_text("Linear attention of Qwen3NextForCausalLM")
        expect(page.locator("[data-part=notes]")).to_contain_text("Linear attention (gated delta rule), unrolled")
        assert page.locator("[data-part=palette]").is_hidden()
        truth = maps.weights(1, 2)
        page.locator("[data-part=stage]").focus()
        for move in ("ArrowDown", "Shift+ArrowDown", "ArrowDown", "ArrowDown"):
            page.keyboard.press(move)
        shown = page.locator("[data-part=top-rows] tr:visible td.value").all_inner_texts()
        # The row in focus is the one whose largest weight is shown first; a code of eight bits has a bit for the sign.
        q = int(np.abs(truth[np.arange(len(truth)), np.abs(truth).argmax(-1)] - float(shown[0])).argmin())
        best = truth[q][np.argsort(-np.abs(truth[q]), kind="stable")]
        assert min(map(float, shown)) < 0 < max(map(float, shown))
        for said, expected in zip(shown, best, strict=False):
            assert abs(abs(float(said)) - abs(expected)) <= abs(best[0]) * (0.5 / 127 + 2**-10)
        assert abs(sum(map(float, shown)) - best[: len(shown)].sum()) <= 0.05 * abs(best[0])
        ticks = page.locator("[data-part=ticks] span").all_inner_texts()
        assert float(ticks[0]) == -float(ticks[-1])
        expect(page.locator("[data-part=unit]")).to_contain_text("weight of linear attention")
        for key, view in zip("12345", VIEWS, strict=True):
            page.keyboard.press("Escape")
            page.evaluate("document.activeElement.blur()")
            page.keyboard.press(key)
            expect(page.locator(f"[data-part={view}]")).to_be_visible()
            ready(page)
        expect(page.locator("[data-part=no-rollout]")).to_contain_text("the weights of linear attention are signed")


def text_of(model: ats.Model, tokens: int) -> str:
    offsets = model.tokenizer(LICENCE, return_offsets_mapping=True)["offset_mapping"]
    return LICENCE[: offsets[tokens - 1][1]]


def test_smollm2_at_512_tokens(browser: Browser, tmp_path: Path, smollm2: ats.Model) -> None:
    check(browser, tmp_path, ats.attention_maps(smollm2, text_of(smollm2, 512), layers=[0, 7, 15]))


@pytest.mark.filterwarnings("ignore:Token indices")
def test_minilm(browser: Browser, tmp_path: Path, minilm: ats.Model) -> None:
    check(browser, tmp_path, ats.attention_maps(minilm, LICENCE[:1200]))


def test_what_the_model_wrote_is_stepped_through(browser: Browser, tmp_path: Path, smollm2: ats.Model) -> None:
    maps = ats.attention_maps(smollm2, "The capital of Japan is", generate=6, layers=[0, 15], heads=[1, 2])
    words = maps.words()
    start = int(str(maps.measured.continued_at))
    written = [i for i, token in enumerate(words.query_side.tokens) if token.start >= start and token.text.strip()]
    assert 3 <= len(written) <= 6
    with opened(browser, tmp_path, render(maps, ".html"), "#view=text&layer=15&head=2") as page:
        ready(page)
        names = [words.query_side.tokens[i].text for i in written]
        expect(page.locator("[data-part=text-query] .said:not(.blank)")).to_have_text(names)
        truth = words.weights(15, 2)
        said = [i for i, token in enumerate(words.query_side.tokens) if token.start >= start and not token.special]
        for i in said[:5]:
            page.keyboard.press(".")
            expect(page.locator("[data-part=text-query] .q")).to_have_text(words.query_side.tokens[i].text)
            if i not in written:  # a line break
                continue
            shown = page.locator("[data-part=top-rows] tr:visible td.value").all_inner_texts()
            order = [k for k in np.argsort(-truth[i]) if not words.key_side.tokens[k].special]
            assert near(shown[0], float(truth[i, order[0]]), float(truth[i].max()) + 1e-3)


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_the_attentions_of_an_encoder_decoder(browser: Browser, tmp_path: Path, kind: str) -> None:
    model = ats.Model(tiny("bart", sharp=3), copy_tokenizer())
    target = None if kind == "encoder" else "c d e f"
    maps = ats.attention_maps(model, "a b c d e f g", target=target, stack=kind)
    truth = maps.weights(2, 1)
    with opened(browser, tmp_path, render(maps, ".html"), "#view=text&layer=2&head=1&unit=token&special=1") as page:
        ready(page)
        expect(page.locator("[data-part=text-key]")).to_be_visible(visible=kind == "cross")
        assert str(page.locator("[data-part=text-query]").text_content()).endswith(target or "a b c d e f g")
        page.locator("[data-part=text-query] .u").get_by_text("e", exact=True).hover()
        query = next(i for i, token in enumerate(maps.query_side.tokens) if token.text == "e")
        shown = page.locator("[data-part=top-rows] tr:visible td.value").all_inner_texts()
        for said, expected in zip(shown, np.sort(truth[query])[::-1], strict=False):
            assert near(said, float(expected), float(truth[query].max()))


def test_too_many_lines_are_not_drawn(browser: Browser, tmp_path: Path, smollm2: ats.Model) -> None:
    maps = ats.attention_maps(smollm2, text_of(smollm2, 512), layers=[3], heads=[0])
    with opened(browser, tmp_path, render(maps, ".html"), "#view=lines&unit=token") as page:
        ready(page)
        expect(page.locator("[data-part=too-many]")).to_be_visible()
        expect(page.locator("[data-part=lines-canvas]")).to_be_hidden()
        assert page.evaluate("document.querySelector('[data-part=lines-canvas]').height") < 1000
