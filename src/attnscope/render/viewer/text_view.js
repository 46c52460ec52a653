// A text as text: a box for each word or token, colours behind them.

import { visible } from "./format.js";
import { element } from "./dom.js";

/**
 * @typedef {import("./units.js").Axis} Axis
 * @typedef {{root: HTMLElement, axis: Axis, spans: HTMLElement[], ranges: StaticRange[],
 *   chips: Map<number, HTMLElement>, places: Map<HTMLElement, number>, steps: Int16Array, rest: Iterator<void>,
 *   whole: boolean}} TextView
 * spans, ranges: one for each box of the axis. chips: the elements of units that have no place in the text. places: the
 * box of each element; a chip's unit as -1 - unit. steps: the step of each box, -1 for none. rest: what is still to be
 * put into the page.
 */

/** @param {HTMLElement} root @param {Axis} axis @returns {Omit<TextView, "rest" | "whole">} */
const empty = (root, axis) => ({
  root,
  axis,
  spans: [],
  ranges: [],
  chips: new Map(),
  places: new Map(),
  steps: new Int16Array(axis.boxes.length).fill(-1),
});

/** A text that is already in the page, with an element of the class u for each box, in order; its classes colour it.
 * @param {HTMLElement} root @param {Axis} axis @returns {TextView} */
export function adoptText(root, axis) {
  const view = empty(root, axis);
  for (const [b, span] of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(".u")).entries()) {
    view.spans.push(span);
    view.places.set(span, b);
    view.steps[b] = Number(/^(?:.* )?s(\d+)/.exec(span.className)?.[1] ?? -1);
  }
  return { ...view, rest: [][Symbol.iterator](), whole: true };
}

/** The text that Python has written, or, on a page whose results come later, the text built here and coloured.
 * @param {HTMLElement} root @param {Axis} axis @param {(box: number) => number} stepOfBox @returns {TextView} */
export function writtenText(root, axis, stepOfBox) {
  if (root.querySelector(".u")) return adoptText(root, axis);
  const view = createTextView(root, axis, false);
  buildText(view, Infinity);
  view.spans.forEach((span, box) => {
    view.steps[box] = stepOfBox(box);
    span.classList.add(`s${view.steps[box]}`);
  });
  return view;
}

/** How many boxes are built, and laid out, at a time. */
const PART = 400;

/**
 * A text, not yet in the page: `buildText` puts it there.
 * @param {HTMLElement} root @param {Axis} axis @param {boolean} marked white space gets elements of its own, to be seen
 * @returns {TextView}
 */
export function createTextView(root, axis, marked) {
  const bare = empty(root, axis);
  root.replaceChildren();
  return { ...bare, rest: parts(bare, marked), whole: false };
}

/** Builds until the time `until`; the next call builds the rest. @param {TextView} view
 * @param {number} until @returns {boolean} whether it is whole */
export function buildText(view, until) {
  while (!view.whole && performance.now() < until) view.whole = Boolean(view.rest.next().done);
  return view.whole;
}

/** Puts the text into its root, part by part.
 * @param {Omit<TextView, "rest" | "whole">} view @param {boolean} marked @returns {Iterator<void>} */
function* parts({ root, axis, spans, ranges, chips, places }, marked) {
  const { text, units } = axis;
  let position = 0;
  let next = 0;
  // A token that is nowhere in the text is shown where the model reads it: after the unit before it.
  let anchor = 0;
  const placeless = units.flatMap((unit, i) => {
    if (unit.start < unit.end) anchor = Math.max(anchor, unit.end);
    return unit.start < unit.end ? [] : [{ unit, i, after: anchor }];
  });
  let part = element("span", "", "part");
  const chip = (/** @type {number} */ before) => {
    while (next < placeless.length && placeless[next].after <= before) {
      const { unit, i } = placeless[next++];
      const span = element("span", unit.label, "u special");
      chips.set(i, span);
      places.set(span, -1 - i);
      part.append(span);
    }
  };
  /** Adds the text that no unit covers, up to `end`. @param {number} end */
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
    const span = element(
      "span",
      "",
      `u${unit.special ? " special" : ""}${unit.continued ? " said" : ""}${content.trim() ? "" : " blank"}`,
    );
    if (marked) {
      // A token may include the space in front of it.
      const [, before, middle, after] = /^(\s*)(.*?)(\s*)$/su.exec(content) ?? ["", "", content, ""];
      span.append(
        ...[before && gap(before, true), gap(middle, false), after && gap(after, true)].filter((part) => part !== ""),
      );
    } else span.append(gap(content, false));
    if (content.includes("\n")) span.classList.add("nl");
    spans.push(span);
    places.set(span, b);
    // Static ranges: the browser would update live ones at every change of the document.
    ranges.push(
      new StaticRange({ startContainer: span, startOffset: 0, endContainer: span, endOffset: span.childNodes.length }),
    );
    part.append(span);
    position = box.end;
  }
  chip(Infinity);
  fill(text.length);
  root.append(part);
}

/** White space and anything else that no unit covers. @param {string} content @param {boolean} marked */
function gap(content, marked) {
  const plain = content.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, visible);
  return marked ? element("span", plain, content.includes("\n") ? "gap nl" : "gap") : document.createTextNode(plain);
}

/** Colours a text by classes. @param {TextView} view @param {(units: number[]) => number} stepOfUnits the step of the
 * units that share a box; -1 for none */
export function colourByClass({ axis, spans, steps }, stepOfUnits) {
  axis.boxes.forEach(({ units }, b) => {
    const step = stepOfUnits(units);
    if (step === steps[b]) return;
    spans[b].classList.remove(`s${steps[b]}`);
    if (step >= 0) spans[b].classList.add(`s${step}`);
    steps[b] = step;
  });
}

/** The element that shows a unit. @param {TextView} view @param {number} unit */
export const elementOf = ({ axis, spans, chips }, unit) => spans[axis.boxOf[unit]] ?? chips.get(unit);

/** The box under the pointer; below 0 a chip's unit, counted down from -1. @param {TextView} view
 * @param {EventTarget | null} target @returns {number | undefined} */
export const placeAt = ({ places }, target) =>
  target instanceof Element ? places.get(/** @type {HTMLElement} */ (target.closest(".u"))) : undefined;

/** The unit under the pointer, -1 for none. @param {TextView} view @param {EventTarget | null} target */
export function unitAt(view, target) {
  const place = placeAt(view, target);
  if (place === undefined) return -1;
  return place < 0 ? -1 - place : view.axis.boxes[place].units[0];
}

/** Gives the units' elements a class, and removes it from all others. @param {TextView} view @param {number[]} units
 * @param {string} name */
export function markUnits(view, units, name) {
  for (const element of view.root.querySelectorAll(`.${name}`)) element.classList.remove(name);
  for (const unit of units) elementOf(view, unit)?.classList.add(name);
}
