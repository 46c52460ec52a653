// What pages of scores share: finding, keys, light and dark, files. It knows texts and boxes, not what the scores are.

import { bind } from "../fields.js";
import { Finder } from "../finder.js";
import { csv } from "../format.js";
import { listenKeys } from "../keyboard.js";
import { byId, colourOf, download, isDark, say, setTheme } from "../page.js";
import { elementOf, mark } from "../passage.js";
import { pictured, pixels, texts } from "../picture.js";
import { hush, scrolled } from "../tip.js";
import { find } from "../units.js";

/**
 * @template {{find: string, theme: string}} S
 * @typedef {import("../state.js").Hub<S>} Hub
 */

/**
 * @template {import("../state.js").Values & {find: string, theme: string}} S
 * @param {Hub<S>} hub
 * @param {{
 *   passages: () => import("../passage.js").Passage[], name: () => string, table: () => (string | number)[][],
 *   says: () => string, show: (before: S | null) => void, keys?: Record<string, () => void>,
 *   also?: (key: keyof S & string) => Partial<S>
 * }} page
 * passages: the texts as they stand; name: of what they show, another one for other boxes; table: their numbers; says:
 * what the legend stands for; show: draws the state
 */
export function read(hub, { passages, name, table, says, show, keys = {}, also }) {
  const { state, update, onChange } = hub;
  /** @type {Finder<{passage: import("../passage.js").Passage, units: number[]}[]>} */
  const finder = new Finder();
  const matches = () =>
    finder.all(`${name()} ${state.find}`, state.find, () => {
      const found = passages().flatMap((passage) => find(passage.axis, state.find).map((units) => ({ passage, units })));
      return { found, count: found.length };
    });

  /** @param {S | null} before */
  const draw = (before) => {
    setTheme(state.theme);
    show(before);
    const found = matches();
    for (const passage of passages()) mark(passage, found.filter((match) => match.passage === passage).flatMap(({ units }) => units), "match");
  };
  byId("search").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const found = matches();
    const at = finder.next(found.length, event.shiftKey ? -1 : 1);
    if (at >= 0) elementOf(found[at].passage, found[at].units[0])?.scrollIntoView({ block: "center" });
  });
  byId("theme").addEventListener("click", () => update(/** @type {Partial<S>} */ ({ theme: isDark() ? "light" : "dark" })));

  const file = () => (document.title.match(/[\p{L}\p{N}]+/gu) ?? ["attention"]).join("-").slice(0, 60).toLowerCase();
  /** What each is made of. @type {Record<string, () => Blob | Promise<Blob>>} */
  const files = {
    json: () => new Blob([byId("data").textContent ?? ""], { type: "application/json" }),
    // The mark in front tells spreadsheets that it is UTF-8.
    csv: () => new Blob(["\ufeff", csv(table())], { type: "text/csv;charset=utf-8" }),
    svg: drawn,
    png: () => pixels(drawn()),
  };
  function drawn() {
    return new Blob([svg(passages().map(({ root }) => root), says())], { type: "image/svg+xml" });
  }
  for (const [kind, make] of Object.entries(files)) {
    byId(`save-${kind}`).addEventListener("click", async () => {
      download(`${file()}.${kind}`, await make());
      say(`${kind} saved`);
    });
  }
  bind(hub, also);
  listenKeys(keys);
  addEventListener("scroll", scrolled, { passive: true });
  addEventListener("resize", hush);
  onChange(draw);
  draw(null);
  for (const hidden of document.querySelectorAll(".scripted")) /** @type {HTMLElement} */ (hidden).hidden = false;
}

/** @param {HTMLElement[]} roots @param {string} says */
function svg(roots, says) {
  const ink = colourOf("--ink");
  /** By classes: to ask for a colour is slow, and there are few. @type {Map<string, {fill: string, ink: string, ring: string}>} */
  const known = new Map();
  const body = texts(byId("views"), roots, ink, (element) => {
    let look = known.get(element.className);
    if (!look) {
      const style = getComputedStyle(element);
      const fill = / 0\)|transparent/.test(style.backgroundColor) ? "" : style.backgroundColor;
      look = { fill, ink: style.color, ring: element.matches(".q") ? colourOf("--accent") : "" };
      known.set(element.className, look);
    }
    return look;
  });
  const facts = [...document.querySelectorAll("header ~ .facts div, .provenance span")].map((fact) => [...fact.childNodes].map((node) => node.textContent).join(" "));
  const ticks = [...byId("ticks").children].map((tick, i, all) => ({ place: i / Math.max(1, all.length - 1), text: tick.textContent ?? "" }));
  return pictured(body, {
    title: document.title,
    caption: [document.title, ...facts].join(" · "),
    says,
    steps: Array.from({ length: 64 }, (_, step) => colourOf("--b", `s${step}`)),
    ticks,
    ink,
    muted: colourOf("--muted"),
    page: colourOf("--page"),
  });
}
