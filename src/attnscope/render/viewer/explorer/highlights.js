// Colours behind a text by the CSS Highlight API: a hover moves ranges and no styles. By classes where there is none.

import { STEPS, textOn } from "../colour.js";
import { colour } from "../passage.js";

/** @typedef {import("../passage.js").Passage} Passage */

const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
/** One highlight a step; empty where the browser has none: then classes do it. @type {Highlight[]} */
const sets = [];
if (typeof CSS !== "undefined" && "highlights" in CSS) {
  for (let step = 0; step < STEPS; step++) {
    sets.push(new Highlight());
    CSS.highlights.set(`s${step}`, sets[step]);
  }
}
/** Whether a highlight's look is inherited: 64 looks for the root alone, instead of for each of thousands of words. */
const inherited = (() => {
  sheet.replaceSync(":root::highlight(s0){background-color:rgb(1,2,3)}");
  return getComputedStyle(document.body, "::highlight(s0)").backgroundColor === "rgb(1, 2, 3)";
})();
let painted = "";

/** Colours of the steps of highlights, and of the classes s0 … s63 (shares) and d0 … d63 (signed); black or white on them.
 * @param {string[]} now @param {string[]} shares @param {string[]} signed */
export function setColours(now, shares, signed) {
  const key = now.concat(shares).join();
  if (painted === key) return;
  painted = key;
  const look = (/** @type {string} */ colour) => `{background-color:${colour};color:${textOn(colour)}}`;
  const rules = now.map((colour, i) => `${inherited ? ":root" : ""}::highlight(s${i})${look(colour)}`);
  shares.forEach((colour, i) => i > 0 && rules.push(`.s${i}${look(colour)}`));
  signed.forEach((colour, i) => rules.push(`.d${i}${look(colour)}`));
  sheet.replaceSync(rules.join(""));
}

/** Above and below the window, in pixels: what a turn of the wheel brings into sight is coloured already. */
const MARGIN = 500;
/** Boxes that are coloured, and how. @typedef {{from: number, to: number, step: (units: number[]) => number}} Cover */
/** @type {Map<Passage, Cover>} */
const covers = new Map();

/** Colours what is in sight: the browser goes through all ranges at every change, so that a hover costs what is seen of a
 * text, however long it is. @param {Passage} passage @param {(units: number[]) => number} step of the units that share a
 * box; -1 for none */
export function highlight(passage, step) {
  // A text that has given its place to another, of tokens instead of words, is done with.
  for (const [other] of covers) if (other !== passage && other.root === passage.root) drop(other);
  if (sets.length) cover(passage, step, ...inSight(passage.spans));
  else colour(passage, step);
  for (const [unit, chip] of passage.chips) {
    const found = step([unit]);
    chip.className = `u special${found >= 0 ? ` s${found}` : ""}`;
  }
}

/** @param {Passage} passage */
function drop(passage) {
  cover(passage, () => -1, 0, 0);
  covers.delete(passage);
}

/** Colours what has come into sight. */
export function follow() {
  for (const [passage, { step }] of covers) cover(passage, step, ...inSight(passage.spans));
}

/** Colours all, in sight or not. */
export function coverAll() {
  for (const [passage, { step }] of covers) cover(passage, step, 0, passage.spans.length);
}
addEventListener("scroll", follow, { passive: true });
addEventListener("beforeprint", coverAll);

/** @param {Passage} passage @param {(units: number[]) => number} step @param {number} from @param {number} to boxes */
function cover(passage, step, from, to) {
  const { axis, ranges, steps } = passage;
  const before = covers.get(passage) ?? { from, to };
  covers.set(passage, { from, to, step });
  for (let b = Math.min(from, before.from); b < Math.max(to, before.to); b++) {
    const found = b >= from && b < to ? step(axis.boxes[b].units) : -1;
    if (found === steps[b]) continue;
    if (steps[b] >= 0) sets[steps[b]].delete(ranges[b]);
    if (found >= 0) sets[found].add(ranges[b]);
    steps[b] = found;
  }
}

/** The first in or near the window, and the first below it. @param {HTMLElement[]} spans in reading order
 * @returns {[number, number]} */
function inSight(spans) {
  /** The first whose bottom lies below `edge`; what is not drawn is passed over. @param {number} edge */
  const below = (edge) => {
    let [low, high] = [0, spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      let seen = middle;
      let box = spans[seen].getBoundingClientRect();
      while (!box.height && ++seen < high) box = spans[seen].getBoundingClientRect();
      if (seen >= high || box.bottom > edge) high = middle;
      else low = seen + 1;
    }
    return low;
  };
  return [below(-MARGIN), below(innerHeight + MARGIN)];
}
