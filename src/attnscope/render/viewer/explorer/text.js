// The text as text: what a word attends to, or who attends to it, in colour behind the words.

import { focus, onChange, point, state, update } from "./hub.js";
import { oneText } from "./front.js";
import { addRow } from "./grid.js";
import { byId, say } from "../page.js";
import { follow, highlight, setColours } from "./highlights.js";
import { build, elementOf, mark, passage, unitAt } from "../passage.js";
import { axes, norm, signedPaint, values } from "./scene.js";
import { rollout } from "./stock.js";
import { walk } from "../walk.js";

/** @typedef {import("./scene.js").Scene} Scene @typedef {import("../passage.js").Passage} Passage */

/** @type {Scene | null} */
let scene = null;
/** Of the queries and of the keys; one and the same where there is one text. @type {{to: Passage, by: Passage} | null} */
let texts = null;
let lookOfTexts = "";
/** What rollout said of the unit looked at. @type {{unit: number, name: string, row: Float32Array} | null} */
let rolled = null;
/** @type {HTMLElement[]} */
let marked = [];

/** The text that is looked from, and the one that is coloured. @param {{to: Passage, by: Passage}} of */
const sides = (of) => (state.dir === "to" ? { from: of.to, at: of.by } : { from: of.by, at: of.to });

/** The texts as the state says, built at once, or until the clock says so. @param {number} [until] */
export function built(until = Infinity) {
  const look = `${state.unit} ${state.space}`;
  if (look !== lookOfTexts || !texts) {
    lookOfTexts = look;
    const { query, key } = axes(state.unit);
    const one = passage(byId("text-query"), query, state.space);
    texts = { to: one, by: oneText ? one : passage(byId("text-key"), key, state.space) };
  }
  const whole = build(texts.to, until) && build(texts.by, until);
  return { ...texts, whole };
}

/** @param {Scene} shown @param {number[]} matches units of the keys' text */
export function showText(shown, matches) {
  scene = shown;
  const { by } = built();
  byId("text-key").hidden = oneText;
  byId("texts").classList.toggle("two", !oneText);
  for (const root of [byId("text-query"), byId("text-key")]) {
    root.classList.toggle("no-special", !state.special);
  }
  unfold();
  mark(by, matches, "match");
  colourText();
}

let entered = true;
onChange((before) => (entered ||= before.view !== state.view));

/** A long text comes into sight a part a frame, so that laying it out never holds up a key. */
function unfold() {
  if (!entered) return;
  entered = false;
  const [, ...later] = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#texts .part")]);
  for (const part of later) part.hidden = true;
  const reveal = () => {
    const part = later.shift();
    if (part) part.hidden = false;
    follow();
    if (later.length && state.view === "text") requestAnimationFrame(reveal);
  };
  requestAnimationFrame(reveal);
}

/** @type {WeakMap<Scene, Float32Array>} */
const means = new WeakMap();

/** The mean over the rows shown: what is coloured while nothing is pointed at. @param {Scene} shown */
export function resting(shown) {
  let mean = means.get(shown);
  if (!mean) {
    const { grid, rows } = shown;
    const { nk, hidden } = grid;
    if (!state.renorm && !state.special) mean = Float32Array.from(grid.received); // the worker has summed it already
    else {
      mean = new Float32Array(nk);
      for (const q of rows) addRow(mean, grid, q, norm(shown, q) / rows.length);
    }
    for (let k = 0; k < nk; k++) if (hidden[k]) mean[k] = 0;
    means.set(shown, mean);
  }
  return mean;
}

/** What is coloured now: values, what full colour stands for, and whether they are differences.
 * @returns {{row: Float32Array, most: number, signed: boolean, mean: boolean}} */
export function coloured() {
  const none = { row: new Float32Array(), most: 1, signed: false, mean: false };
  if (!scene) return none;
  const unit = focus.unit;
  if (unit < 0) {
    const row = resting(scene);
    return { row, most: state.scale === "fixed" ? 1 : largest(row), signed: false, mean: true };
  }
  if (state.from === "rollout") {
    const row = (isRolled(unit) && rolled?.row) || new Float32Array(scene.grid.nk);
    return { row, most: largest(row), signed: false, mean: false };
  }
  const row = values(scene, unit, state.dir);
  if (state.other >= 0) {
    const second = values(scene, state.other, state.dir);
    const difference = row.map((one, i) => one - second[i]);
    return { row: difference, most: largest(difference.map(Math.abs)), signed: true, mean: false };
  }
  const most = state.scale === "fixed" ? 1 : state.scale === "map" ? scene.highest : largest(row);
  return { row, most, signed: false, mean: false };
}

/** @param {Float32Array} row */
const largest = (row) => row.reduce((a, b) => Math.max(a, b), 0);

/** Rollout's row where that is what is looked at. */
export const rolledRow = () =>
  state.from !== "rollout" ? null : coloured().row;

/** @param {number} unit */
const isRolled = (unit) => rolled?.unit === unit && rolled.name === state.unit;

/** @param {() => void} again called when rollout has come */
export function followRollout(again) {
  const unit = focus.unit;
  if (state.from !== "rollout" || unit < 0 || !scene || isRolled(unit)) return;
  const { query, key } = scene;
  const name = state.unit;
  void rollout(query.units[unit].members).then((rows) => {
    const tokens = rows[rows.length - 1];
    const row = Float32Array.from(key.units, ({ members }) => members.reduce((sum, member) => sum + tokens[member], 0));
    rolled = { unit, name, row };
    if (focus.unit === unit) again();
  }, (error) => say(String(error.message)));
}

export function colourText() {
  if (!scene || !texts) return;
  const { row, most, signed, mean } = coloured();
  const paint = signed ? signedPaint() : scene.paint;
  setColours(paint.colours, scene.paint.colours, signedPaint().colours);
  const { from, at } = sides(texts);
  const target = mean ? texts.by : at;
  if (!oneText) highlight(target === texts.to ? texts.by : texts.to, () => -1);
  const shown = (/** @type {number} */ unit) => state.special || !target.axis.units[unit].special;
  highlight(target, (units) => {
    let sum = 0;
    for (const unit of units) if (shown(unit)) sum += row[unit];
    if (sum === 0 || !(most > 0)) return -1;
    const step = paint.stepOf(sum / most);
    return step === 0 && !signed ? -1 : step;
  });
  for (const element of marked) element.classList.remove("q", "q2", "at");
  marked = [];
  outline(from, focus.unit, "q");
  outline(from, state.other, "q2");
  outline(at, focus.other, "at");
}

/** @param {Passage} text @param {number} unit @param {string} name */
function outline(text, unit, name) {
  const element = unit >= 0 ? elementOf(text, unit) : undefined;
  if (!element) return;
  element.classList.add(name);
  marked.push(element);
}

/** Pins, compares or lets go. @param {number} unit @param {boolean} beside a second one */
export function pin(unit, beside) {
  if (unit === state.pin) update({ pin: state.other, other: -1 });
  else if (unit === state.other) update({ other: -1 });
  else if (state.pin >= 0 && beside) update({ other: unit });
  else update({ pin: unit, other: -1 });
}

/** @param {HTMLElement} root @param {"to" | "by"} side */
function listen(root, side) {
  const mine = () => (texts ? texts[side] : null);
  /** In the text of the other side the same word is looked at from there. */
  const turn = () => !oneText && state.dir !== side && state.pin < 0 && update({ dir: side });
  const shown = (/** @type {number} */ unit) => unit >= 0 && (state.special || !mine()?.axis.units[unit].special);
  root.addEventListener("pointerover", (event) => {
    const text = mine();
    const unit = text ? unitAt(text, event.target) : -1;
    if (!shown(unit)) return;
    turn();
    point(unit, -1);
  });
  root.addEventListener("pointerleave", () => point(-1, -1));
  // A second word is compared by Shift and a click: that shall not select the text between.
  root.addEventListener("mousedown", (event) => {
    if (!event.shiftKey) return;
    event.preventDefault();
    root.focus({ preventScroll: true });
  });
  root.addEventListener("click", (event) => {
    const text = mine();
    const unit = text ? unitAt(text, event.target) : -1;
    if (!shown(unit)) return;
    if (!oneText && state.dir !== side) update({ dir: side, pin: unit, other: -1 });
    else pin(unit, event.shiftKey || event.ctrlKey || event.metaKey);
  });
  root.addEventListener("keydown", (event) => {
    const text = mine();
    if (!text || event.altKey || event.ctrlKey || event.metaKey) return;
    const units = text.axis.units.map((_, i) => i).filter(shown);
    const now = state.pin >= 0 && focus.other >= 0 ? focus.other : focus.unit;
    const to = walk(units.map((unit) => elementOf(text, unit)), units.indexOf(now), event);
    if (to !== null) {
      turn();
      point(units[to], -1);
      elementOf(text, units[to])?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" || event.key === " ") pin(now < 0 ? units[0] : now, event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
listen(byId("text-query"), "to");
if (!oneText) listen(byId("text-key"), "by");

/** The next or the last generated unit. @param {number} direction */
export function step(direction) {
  if (!scene) return;
  const said = scene.query.units.map((_, i) => i).filter((i) => scene?.query.units[i].continued);
  if (!said.length) return;
  const now = said.indexOf(state.pin);
  const next = now < 0 ? (direction > 0 ? 0 : said.length - 1) : Math.max(0, Math.min(said.length - 1, now + direction));
  update({ pin: said[next], other: -1, dir: "to" });
  if (texts) elementOf(texts.to, said[next])?.scrollIntoView({ block: "nearest" });
}

/** The text that is looked from. */
export const textOf = () => texts && sides(texts).from;

/** The texts that are seen. */
export const shownTexts = () => (texts ? [...new Set([texts.to, texts.by])] : []);
