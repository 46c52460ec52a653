// What pages of scores share: finding, keys, light and dark, files. It knows texts and boxes, not what scores mean.

import { download } from "../dom.js";
import { FindBar } from "../find_bar.js";
import { bindForm } from "../form_binding.js";
import { csv } from "../format.js";
import { listenKeys } from "../keyboard.js";
import { box, pixels, svgDocument, textBody } from "../svg.js";
import { elementOf, markUnits } from "../text_view.js";
import { find } from "../units.js";
import { t } from "../speech.js";

/**
 * @typedef {import("../dom.js").Dom} Dom
 * @typedef {import("../text_view.js").TextView} TextView
 * @typedef {import("../legend.js").Legend} Legend
 */

/** The current colours of the steps, for shares ("s") or signed scores ("d"). @param {Dom} dom @param {string} kind */
export const stepColours = (dom, kind) => Array.from({ length: 64 }, (_, step) => dom.colour("--b", kind + step));

/**
 * @template {import("../url_state.js").Values & {find: string, theme: string}} S
 * @param {Dom} dom @param {import("../source.js").ResultSource} source
 * @param {import("../tooltip.js").Tooltip} tooltip @param {import("../url_state.js").Store<S>} store
 * @param {{
 *   texts: () => TextView[], name: () => string, table: () => (string | number)[][], legends: () => Legend[],
 *   notes?: () => string[], pictured?: () => HTMLElement[], show: (before: S | null) => void,
 *   keys?: Record<string, () => void>, also?: (key: keyof S & string) => Partial<S>
 * }} page
 * texts: the current ones; name: tells which boxes they have; table: their numbers; legends: those that the page shows;
 * notes: what it says beside them; pictured: the elements in a picture, if not only the texts; show: draws the state
 */
export function runScoresPage(dom, source, tooltip, store, page) {
  const { state, update, onChange } = store;
  /** @type {FindBar<{text: TextView, units: number[]}[]>} */
  const findBar = new FindBar(dom);
  const matches = () =>
    findBar.all(`${page.name()} ${state.find}`, state.find, () => {
      const all = page.texts().flatMap((text) => find(text.axis, state.find).map((units) => ({ text, units })));
      return { matches: all, count: all.length };
    });

  /** @param {S | null} before */
  const draw = (before) => {
    dom.setTheme(state.theme);
    page.show(before);
    const all = matches();
    for (const text of page.texts())
      markUnits(
        text,
        all.filter((match) => match.text === text).flatMap(({ units }) => units),
        "match",
      );
  };
  dom.part("search").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const all = matches();
    const index = findBar.next(all.length, event.shiftKey ? -1 : 1);
    if (index >= 0) elementOf(all[index].text, all[index].units[0])?.scrollIntoView({ block: "center" });
  });
  dom
    .part("theme")
    .addEventListener("click", () => update(/** @type {Partial<S>} */ ({ theme: dom.isDark() ? "light" : "dark" })));

  const caption = () => writtenCaption(dom, page.notes?.() ?? []);
  const fileName = () =>
    (caption().title.match(/[\p{L}\p{N}]+/gu) ?? ["attention"]).join("-").slice(0, 60).toLowerCase();
  const svg = () => {
    const [ink, muted, background] = ["--ink", "--muted", "--page"].map((name) => dom.colour(name));
    const body = bodyOf(dom, page.pictured?.() ?? page.texts().map((text) => text.root), ink);
    const drawn = svgDocument(body, {
      subject: [],
      legends: page.legends(),
      caption: caption(),
      ink,
      muted,
      page: background,
    });
    return new Blob([drawn], { type: "image/svg+xml" });
  };
  /** The contents of each type of file. @type {Record<string, () => Blob | Promise<Blob>>} */
  const files = {
    json: () => new Blob([source.result()], { type: "application/json" }),
    // The byte order mark tells spreadsheets that the file is UTF-8.
    csv: () => new Blob(["\ufeff", csv(page.table())], { type: "text/csv;charset=utf-8" }),
    svg,
    png: () => pixels(svg()),
  };
  for (const [kind, make] of Object.entries(files)) {
    dom.part(`save-${kind}`).addEventListener("click", async () => {
      download(`${fileName()}.${kind}`, await make());
      dom.say(t("{file} saved", { file: kind }));
    });
  }
  fold(dom);
  bindForm(dom, store, page.also);
  listenKeys(dom, page.keys ?? {});
  dom.onWindow("scroll", tooltip.followScroll);
  dom.onWindow("resize", tooltip.hide);
  onChange(draw);
  draw(null);
  for (const hidden of dom.all(".scripted")) hidden.hidden = false;
}

/** In a notebook's cell: the text and its colours; the rest when it is asked for. @param {Dom} dom */
function fold(dom) {
  const { root } = dom;
  const more = dom.part("more");
  more.addEventListener("click", () => {
    const folded = root.classList.toggle("folded");
    more.setAttribute("aria-expanded", String(!folded));
    more.textContent = folded ? t("More") : t("Less");
  });
  if (root !== document.documentElement) return;
  dom.onWindow("host", () => {
    if (!root.classList.contains("in-cell")) root.classList.add("in-cell", "folded");
  });
}

/** What Python wrote about the result, without what is hidden now. @param {Dom} dom @param {string[]} notes
 * @returns {import("../legend.js").Caption} */
function writtenCaption(dom, notes) {
  const textOf = (/** @type {Element} */ holder) => [...holder.childNodes].map((node) => node.textContent).join(" ");
  const title = dom.root.querySelector("h1")?.textContent ?? "";
  const facts = dom.all("header ~ .facts div, .provenance span").map(textOf);
  const sentences = dom.all("footer p:not(.provenance)").filter((sentence) => !sentence.hidden);
  return {
    title,
    facts: [title, ...facts],
    notes: [...notes, ...sentences.map((sentence) => sentence.textContent ?? "")].filter(Boolean),
  };
}

/** @param {Dom} dom @param {HTMLElement[]} roots texts and tables @param {string} ink */
function bodyOf(dom, roots, ink) {
  const holder = dom.part("views");
  /** Cached by class names, as reading a colour is slow.
   * @type {Map<string, {fill: string, ink: string, ring: string}>} */
  const looks = new Map();
  const lookOf = (/** @type {HTMLElement} */ element) => {
    const key = `${element.tagName} ${element.className}`;
    let look = looks.get(key);
    if (!look) {
      const style = getComputedStyle(element);
      const fill = / 0\)|transparent/.test(style.backgroundColor) ? "" : style.backgroundColor;
      look = { fill, ink: style.color, ring: element.matches(".q") ? dom.colour("--accent") : "" };
      looks.set(key, look);
    }
    return look;
  };
  const { left, top } = holder.getBoundingClientRect();
  const cells = roots
    .flatMap((root) => [...root.querySelectorAll("td")])
    .map((cell) => {
      const bounds = cell.getBoundingClientRect();
      return box(bounds.left - left, bounds.top - top, bounds.width, bounds.height, lookOf(cell).fill || "none");
    });
  // A cell is coloured as a whole, not only behind its letters.
  const body = textBody(holder, roots, ink, (element) =>
    element.tagName === "TD" ? { ...lookOf(element), fill: "" } : lookOf(element),
  );
  return { ...body, parts: [...cells, ...body.parts] };
}
