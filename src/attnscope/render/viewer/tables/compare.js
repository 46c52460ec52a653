// Adds to a page of comparisons that reads without it: values on hover and focus, a walk with the arrow keys. It knows
// the documented JSON (docs/schema.md); text enters the page through textContent alone.

import { number } from "../format.js";
import { byId, say } from "../page.js";
import { filterable, ready, sortable } from "./tables.js";
import { hush, scrolled, tellOf } from "../tip.js";
import { stopAt, walk } from "../walk.js";

/**
 * @typedef {{text: string, score: number}} Word
 * @typedef {{name: string, result: {words: Word[]}, ranks: number[]}} Side
 * @typedef {{left: number | null, right: number | null, edit: string, change: number, rank_change: number | null,
 *   restores: number | null}} Pair
 * @typedef {{left: Side, right: Side, pairs: Pair[]}} Comparison
 */

const data = JSON.parse(byId("data").textContent ?? "");
/** @type {Comparison[]} */
const comparisons = data.type === "comparisons" ? data.pairs : [data];
const lists = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".pairs")]);

/** @param {Side} side @param {number | null} index */
function sideLine(side, index) {
  if (index === null) return `${side.name}: nothing`;
  const word = side.result.words[index];
  return `${side.name}: ${word.text.trim()}, score ${number(word.score)}, rank ${side.ranks[index]} of ${side.ranks.length}`;
}

/** @param {Comparison} comparison @param {Pair} pair */
function values(comparison, pair) {
  const lines = [sideLine(comparison.left, pair.left), sideLine(comparison.right, pair.right)];
  lines.push(`change ${number(pair.change)}${pair.rank_change === null ? "" : `, places ${pair.rank_change > 0 ? "+" : ""}${pair.rank_change}`}`);
  if (pair.restores !== null) lines.push(`undone alone: ${(100 * pair.restores).toFixed(1)} points`);
  return lines;
}

lists.forEach((list, which) => {
  const items = /** @type {HTMLElement[]} */ ([...list.children]);
  if (!items.length) return;
  items[0].tabIndex = 0;
  /** @param {EventTarget | null} target */
  const place = (target) => items.findIndex((item) => target instanceof Node && item.contains(target));
  /** @param {EventTarget | null} target @param {boolean} spoken */
  const show = (target, spoken) => {
    const index = place(target);
    if (index < 0) return hush();
    const lines = values(comparisons[which], comparisons[which].pairs[index]);
    tellOf(items[index], null, lines);
    if (spoken) say(lines.join("; "));
  };
  list.addEventListener("pointerover", (event) => show(event.target, false));
  list.addEventListener("pointerleave", hush);
  list.addEventListener("focusin", (event) => show(event.target, true));
  list.addEventListener("focusout", hush);
  list.addEventListener("keydown", (event) => {
    const index = place(document.activeElement);
    const to = index < 0 ? null : walk(items, index, event);
    if (to === null) return;
    event.preventDefault();
    stopAt(items[index], items[to], true);
  });
});

if (document.querySelector(".sheet")) {
  addEventListener("hashchange", () => {
    scrollTo(0, 0);
    hush();
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hush();
});
addEventListener("scroll", scrolled, { passive: true });
for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (document.querySelectorAll("table.all"))) sortable(table);
filterable();
ready("attnscope-comparison.json");
