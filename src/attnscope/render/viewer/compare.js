// Adds to a page of comparisons that reads without it: values on hover and focus, a walk with the arrow keys. It knows
// the documented JSON (docs/schema.md); text enters the page through textContent alone.

import { number } from "./format.js";
import { byId, ready, showTip } from "./shared.js";
import { filterable, sortable } from "./tables.js";

/**
 * @typedef {{text: string, score: number}} Word
 * @typedef {{name: string, result: {words: Word[]}, ranks: number[]}} Side
 * @typedef {{left: number | null, right: number | null, kind: string, change: number, rank_change: number | null,
 *   restores: number | null}} Pair
 * @typedef {{left: Side, right: Side, pairs: Pair[]}} Comparison
 */

const data = JSON.parse(byId("data").textContent ?? "");
/** @type {Comparison[]} */
const comparisons = data.kind === "comparisons" ? data.pairs : [data];
const lists = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".pairs")]);
const tip = byId("tip");
const live = byId("live");

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

/** @param {HTMLElement} item @param {string[]} lines */
function openTip(item, lines) {
  tip.replaceChildren(
    ...lines.map((line) => {
      const made = document.createElement("div");
      made.textContent = line;
      return made;
    }),
  );
  showTip(tip, item);
}

const closeTip = () => {
  tip.hidden = true;
};

lists.forEach((list, which) => {
  const items = /** @type {HTMLElement[]} */ ([...list.children]);
  if (!items.length) return;
  items[0].tabIndex = 0;
  /** @param {EventTarget | null} target */
  const place = (target) => items.findIndex((item) => target instanceof Node && item.contains(target));
  /** @param {EventTarget | null} target @param {boolean} spoken */
  const show = (target, spoken) => {
    const index = place(target);
    if (index < 0) return closeTip();
    const lines = values(comparisons[which], comparisons[which].pairs[index]);
    openTip(items[index], lines);
    if (spoken) live.textContent = lines.join("; ");
  };
  list.addEventListener("pointerover", (event) => show(event.target, false));
  list.addEventListener("pointerleave", closeTip);
  list.addEventListener("focusin", (event) => show(event.target, true));
  list.addEventListener("focusout", closeTip);
  list.addEventListener("keydown", (event) => {
    const index = place(document.activeElement);
    if (index < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const forward = getComputedStyle(list).direction === "rtl" ? -1 : 1;
    /** @type {Record<string, number>} */
    const to = {
      ArrowRight: index + forward,
      ArrowLeft: index - forward,
      ArrowDown: onNextLine(items, index, 1),
      ArrowUp: onNextLine(items, index, -1),
      Home: 0,
      End: items.length - 1,
    };
    if (!(event.key in to)) return;
    event.preventDefault();
    const next = items[Math.max(0, Math.min(to[event.key], items.length - 1))];
    items[index].removeAttribute("tabindex");
    next.tabIndex = 0;
    next.focus();
  });
});

/** The pair nearest in x on the line above or below. @param {HTMLElement[]} items @param {number} index @param {number} direction */
function onNextLine(items, index, direction) {
  const from = items[index].getBoundingClientRect();
  let best = index;
  let nearest = Infinity;
  let line = NaN;
  for (let i = index + direction; i >= 0 && i < items.length; i += direction) {
    const box = items[i].getBoundingClientRect();
    if (Math.abs(box.top - from.top) < 4) continue;
    if (Number.isNaN(line)) line = box.top;
    if (Math.abs(box.top - line) > 4) break;
    const distance = Math.abs(box.left + box.right - from.left - from.right);
    if (distance < nearest) [best, nearest] = [i, distance];
  }
  return best;
}

if (document.querySelector(".sheet")) {
  addEventListener("hashchange", () => {
    scrollTo(0, 0);
    closeTip();
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeTip();
});
addEventListener("scroll", closeTip, { passive: true });
for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (document.querySelectorAll("table.all"))) sortable(table);
filterable();
ready("attnscope-comparison.json");
