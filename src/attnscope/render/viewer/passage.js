// A text as text: a box for each word or token, colours behind them.

import { visible } from "./format.js";
import { element } from "./page.js";

/**
 * @typedef {import("./units.js").Axis} Axis
 * @typedef {{root: HTMLElement, axis: Axis, spans: HTMLElement[], ranges: StaticRange[],
 *   chips: Map<number, HTMLElement>, places: Map<HTMLElement, number>, steps: Int16Array, rest: Iterator<void>,
 *   whole: boolean}} Passage
 * spans, ranges: one for each box of the axis. chips: units that have no place in the text. places: of each element the
 * box; a chip's unit as -1 - unit. steps: of each box, -1 none. rest: what is still to be put into the page.
 */

/** @param {HTMLElement} root @param {Axis} axis @returns {Omit<Passage, "rest" | "whole">} */
const empty = (root, axis) => ({
  root,
  axis,
  spans: [],
  ranges: [],
  chips: new Map(),
  places: new Map(),
  steps: new Int16Array(axis.boxes.length).fill(-1),
});

/** A text that is in the page already, one element of the class u for each box, in order; colours are of its classes.
 * @param {HTMLElement} root @param {Axis} axis @returns {Passage} */
export function adopted(root, axis) {
  const made = empty(root, axis);
  for (const [b, span] of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(".u")).entries()) {
    made.spans.push(span);
    made.places.set(span, b);
    made.steps[b] = Number(/^(?:.* )?s(\d+)/.exec(span.className)?.[1] ?? -1);
  }
  return { ...made, rest: [][Symbol.iterator](), whole: true };
}

/** Boxes of a part of the text: what is built, and laid out, at a time. */
const PART = 400;

/**
 * A text, not yet in the page: `build` puts it there.
 * @param {HTMLElement} root @param {Axis} axis @param {boolean} marked white space gets elements of its own, to be seen
 * @returns {Passage}
 */
export function passage(root, axis, marked) {
  const bare = empty(root, axis);
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
function* parts({ root, axis, spans, ranges, chips, places }, marked) {
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
      chips.set(i, made);
      places.set(made, -1 - i);
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
    spans.push(span);
    places.set(span, b);
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

/** By classes. @param {Passage} passage @param {(units: number[]) => number} step of the units that share a box; -1 for
 * none */
export function colour({ axis, spans, steps }, step) {
  axis.boxes.forEach(({ units }, b) => {
    const found = step(units);
    if (found === steps[b]) return;
    spans[b].classList.remove(`s${steps[b]}`);
    if (found >= 0) spans[b].classList.add(`s${found}`);
    steps[b] = found;
  });
}

/** The element that shows a unit. @param {Passage} passage @param {number} unit */
export const elementOf = ({ axis, spans, chips }, unit) => spans[axis.boxOf[unit]] ?? chips.get(unit);

/** The box under the pointer; below 0 a chip's unit, counted down from -1. @param {Passage} passage
 * @param {EventTarget | null} target @returns {number | undefined} */
export const placeAt = ({ places }, target) =>
  target instanceof Element ? places.get(/** @type {HTMLElement} */ (target.closest(".u"))) : undefined;

/** The unit under the pointer, -1 for none. @param {Passage} passage @param {EventTarget | null} target */
export function unitAt(passage, target) {
  const place = placeAt(passage, target);
  if (place === undefined) return -1;
  return place < 0 ? -1 - place : passage.axis.boxes[place].units[0];
}

/** Gives the units' elements a class, and takes it from all others. @param {Passage} passage @param {number[]} units
 * @param {string} name */
export function mark(passage, units, name) {
  for (const element of passage.root.querySelectorAll(`.${name}`)) element.classList.remove(name);
  for (const unit of units) elementOf(passage, unit)?.classList.add(name);
}
