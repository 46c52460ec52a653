// Adds to the page of two similar texts, which can be read without it: a word's lines alone, and its strongest partners.
// It knows the documented JSON (docs/schema.md); text enters the page only through textContent.

import { moveTabStop } from "../arrow_keys.js";
import { Dom } from "../dom.js";
import { number } from "../format.js";
import { listenButtons } from "./tables.js";
import { createTooltip } from "../tooltip.js";
import { t } from "../speech.js";

/**
 * @typedef {{text: string, start: number, score: number}} Word
 * @typedef {{left: {words: Word[]}, right: {words: Word[]}, scores: number[][]}} Similarity
 */

const PARTNERS = 4;

/** The strongest partners of a word, as lines. @param {Similarity} data @param {"left" | "right"} side @param {number} at */
function partners(data, side, at) {
  const scores = side === "left" ? data.scores[at] : data.scores.map((row) => row[at]);
  const others = data[side === "left" ? "right" : "left"].words;
  const order = scores.map((score, i) => ({ score, text: others[i].text.trim() }));
  order.sort((a, b) => Math.abs(b.score) - Math.abs(a.score));
  const lines = order.slice(0, PARTNERS).map(({ score, text }) => `${text}  ${number(score)}`);
  return [...lines, t("sum of all  {sum}", { sum: number(data[side].words[at].score) })];
}

/** A row for each pair of words, as attnscope's own CSV has them. @param {Similarity} data */
function tableOf({ left, right, scores }) {
  const rows = left.words.flatMap((one, i) =>
    right.words.map((other, j) => [one.text, other.text, one.start, other.start, scores[i][j]]),
  );
  return [["left", "right", "left_start", "right_start", "score"], ...rows];
}

/** @param {HTMLElement} root @param {import("../source.js").ResultSource} source */
export function start(root, source) {
  const dom = new Dom(root);
  /** @type {Similarity} */
  const data = JSON.parse(source.result());
  const tooltip = createTooltip(dom);
  const lines = /** @type {SVGLineElement[]} */ ([...root.querySelectorAll(".links line")]);

  for (const side of /** @type {const} */ (["left", "right"])) {
    const list = /** @type {HTMLElement} */ (root.querySelector(`.words.${side}`));
    const items = /** @type {HTMLElement[]} */ ([...list.children]);
    if (!items.length) continue;
    items[0].tabIndex = 0;
    /** @param {EventTarget | null} target */
    const place = (target) => items.findIndex((item) => target instanceof Node && item.contains(target));
    const hide = () => {
      tooltip.hide();
      for (const line of lines) line.classList.remove("off");
    };
    /** @param {EventTarget | null} target @param {boolean} spoken */
    const show = (target, spoken) => {
      const at = place(target);
      if (at < 0) return hide();
      for (const line of lines) line.classList.toggle("off", line.dataset[side] !== String(at));
      const said = partners(data, side, at);
      tooltip.showAbove(items[at], data[side].words[at].text.trim(), said);
      if (spoken) dom.say(said.join("; "));
    };
    list.addEventListener("pointerover", (event) => show(event.target, false));
    list.addEventListener("pointerleave", hide);
    list.addEventListener("focusin", (event) => show(event.target, true));
    list.addEventListener("focusout", hide);
    list.addEventListener("keydown", (event) => {
      const at = place(document.activeElement);
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (at < 0 || !step || !items[at + step]) return;
      event.preventDefault();
      moveTabStop(items[at], items[at + step], true);
    });
  }

  addEventListener("scroll", tooltip.followScroll, { passive: true });
  listenButtons(dom, source, "attnscope-similarity", () => tableOf(data));
}
