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

/** @param {Passage} passage @param {(units: number[]) => number} step of the units that share a box; -1 for none */
export function highlight(passage, step) {
  const { axis, ranges, chips, steps } = passage;
  if (!sets.length) colour(passage, step);
  else {
    axis.boxes.forEach(({ units }, b) => {
      const found = step(units);
      if (found === steps[b]) return;
      if (steps[b] >= 0) sets[steps[b]].delete(ranges[b]);
      if (found >= 0) sets[found].add(ranges[b]);
      steps[b] = found;
    });
  }
  for (const [unit, chip] of chips) {
    const found = step([unit]);
    chip.className = `u special${found >= 0 ? ` s${found}` : ""}`;
  }
}
