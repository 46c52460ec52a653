// A text as text, with colours behind its words: the CSS Highlight API, so that a hover moves ranges and no styles.

import { STEPS, textOn } from "./colour.js";
import { visible } from "../format.js";
import { element } from "./page.js";

/**
 * @typedef {import("./units.js").Axis} Axis
 * @typedef {{root: HTMLElement, axis: Axis, spans: HTMLElement[], ranges: StaticRange[],
 *   chips: Map<number, HTMLElement>, steps: Int16Array, rest: Iterator<void>, whole: boolean}} Passage
 * spans, ranges: one for each box of the axis. chips: units that have no place in the text. steps: of each box, -1 none.
 * rest: what is still to be put into the page.
 */

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

/** Boxes of a part of the text: what is built, and laid out, at a time. */
const PART = 400;

/**
 * A text, not yet in the page: `build` puts it there.
 * @param {HTMLElement} root @param {Axis} axis @param {boolean} marked white space gets elements of its own, to be seen
 * @returns {Passage}
 */
export function passage(root, axis, marked) {
  /** @type {Omit<Passage, "rest" | "whole">} */
  const bare = { root, axis, spans: [], ranges: [], chips: new Map(), steps: new Int16Array(axis.boxes.length).fill(-1) };
  root.replaceChildren();
  return { ...bare, rest: parts(bare, marked), whole: false };
}

/** Builds until the clock says so; what is left is built by the next call. @param {Passage} passage
 * @param {number} until @returns {boolean} whether it is whole */
export function build(passage, until) {
  while (!passage.whole && performance.now() < until) passage.whole = Boolean(passage.rest.next().done);
  return passage.whole;
}

/** Puts the text into its root, part by part.
 * @param {Omit<Passage, "rest" | "whole">} passage @param {boolean} marked @returns {Iterator<void>} */
function* parts({ root, axis, spans, ranges, chips }, marked) {
  const { text, units } = axis;
  let position = 0;
  let next = 0;
  // Where the model reads a token that stands nowhere in the text: after the unit before it.
  let anchor = 0;
  const placeless = units.flatMap((unit, i) => {
    if (unit.start < unit.end) anchor = Math.max(anchor, unit.end);
    return unit.start < unit.end ? [] : [{ unit, i, after: anchor }];
  });
  let part = element("span", "", "part");
  const chip = (/** @type {number} */ before) => {
    while (next < placeless.length && placeless[next].after <= before) {
      const { unit, i } = placeless[next++];
      const made = element("span", unit.label, "u special");
      made.dataset.unit = String(i);
      chips.set(i, made);
      part.append(made);
    }
  };
  /** What no unit covers. @param {number} end */
  const fill = (end) => {
    if (end > position) part.append(gap(text.slice(position, end), marked));
    position = Math.max(position, end);
  };
  for (const [b, box] of axis.boxes.entries()) {
    chip(position);
    if (b > 0 && b % PART === 0) {
      root.append(part);
      yield;
      part = element("span", "", "part");
    }
    fill(box.start);
    const unit = units[box.units[0]];
    const content = text.slice(position, box.end);
    const span = element("span", "", `u${unit.special ? " special" : ""}${unit.continued ? " said" : ""}${content.trim() ? "" : " blank"}`);
    if (marked) {
      // A token brings the space in front of it along.
      const [, before, middle, after] = /^(\s*)(.*?)(\s*)$/su.exec(content) ?? ["", "", content, ""];
      span.append(...[before && gap(before, true), gap(middle, false), after && gap(after, true)].filter((part) => part !== ""));
    } else span.append(gap(content, false));
    if (content.includes("\n")) span.classList.add("nl");
    span.dataset.box = String(b);
    spans.push(span);
    // Static: the browser would look through live ranges at every change of the document.
    ranges.push(new StaticRange({ startContainer: span, startOffset: 0, endContainer: span, endOffset: span.childNodes.length }));
    part.append(span);
    position = box.end;
  }
  chip(Infinity);
  fill(text.length);
  root.append(part);
}

/** White space and whatever else no unit covers. @param {string} content @param {boolean} marked */
function gap(content, marked) {
  const plain = content.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, visible);
  return marked ? element("span", plain, content.includes("\n") ? "gap nl" : "gap") : document.createTextNode(plain);
}

/** @param {Passage} passage @param {(units: number[]) => number} step of the units that share a box; -1 for none */
export function colour(passage, step) {
  const { axis, spans, ranges, chips, steps } = passage;
  axis.boxes.forEach(({ units }, b) => {
    const found = step(units);
    if (found === steps[b]) return;
    if (sets.length) {
      if (steps[b] >= 0) sets[steps[b]].delete(ranges[b]);
      if (found >= 0) sets[found].add(ranges[b]);
    } else {
      spans[b].classList.remove(`s${steps[b]}`);
      if (found >= 0) spans[b].classList.add(`s${found}`);
    }
    steps[b] = found;
  });
  for (const [unit, chip] of chips) {
    const found = step([unit]);
    chip.className = `u special${found >= 0 ? ` s${found}` : ""}`;
  }
}

/** The element that shows a unit. @param {Passage} passage @param {number} unit */
export const elementOf = ({ axis, spans, chips }, unit) => spans[axis.boxOf[unit]] ?? chips.get(unit);

/** The unit under the pointer, -1 for none. @param {Passage} passage @param {EventTarget | null} target */
export function unitAt({ axis }, target) {
  const span = /** @type {HTMLElement | null} */ (target instanceof Element ? target.closest(".u") : null);
  if (!span) return -1;
  return span.dataset.unit ? Number(span.dataset.unit) : axis.boxes[Number(span.dataset.box)].units[0];
}
