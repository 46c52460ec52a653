// What the state means for the data: which maps, in which units, with which colours.

import { bend, stepOf, table, words32 } from "../colour.js";
import { axis } from "../units.js";
import { pairs } from "./choices.js";
import { front, keySide, oneText, querySide } from "./front.js";
import { addRow, codeAt } from "./grid.js";
import { isDark } from "../page.js";

/**
 * @typedef {import("./choices.js").State} State
 * @typedef {import("../units.js").Axis} Axis
 * @typedef {import("./stock.js").Stocked} Stocked
 * @typedef {import("./stock.js").Place} Place
 * @typedef {{colours: string[], words: Uint32Array, table: Uint8Array, stepOf: (scaled: number) => number}} Paint
 * @typedef {{state: State, grid: Stocked, query: Axis, key: Axis, rows: Int32Array, columns: Int32Array, paint: Paint,
 *   highest: number}} Scene
 * rows, columns: the units that are shown. highest: the largest value of the map that is shown.
 */

/** @type {Map<string, {query: Axis, key: Axis}>} */
const axesOf = new Map();

/** Both axes in words or tokens. @param {string} unit */
export function axes(unit) {
  let found = axesOf.get(unit);
  if (!found) {
    const words = unit === "word";
    const query = axis(querySide, front.queries, words, front.continued);
    const same = oneText && front.queries.join() === front.keys.join();
    found = { query, key: same ? query : axis(keySide, front.keys, words, front.continued) };
    axesOf.set(unit, found);
  }
  return found;
}

/** The maps whose mean is asked for. @param {State} state @returns {Place[]} */
export function wanted(state) {
  const layer = Math.max(0, front.layers.indexOf(state.layer));
  const head = Math.max(0, front.heads.indexOf(state.head));
  if (state.from === "layer") return front.heads.map((_, i) => [layer, i]);
  if (state.from === "chosen") {
    const chosen = pairs(state.chosen)
      .map(([l, h]) => /** @type {Place} */ ([front.layers.indexOf(l), front.heads.indexOf(h)]))
      .filter(([l, h]) => l >= 0 && h >= 0);
    if (chosen.length) return chosen;
  }
  return [[layer, head]];
}

/** What is looked at, in words. @param {State} state */
export function sourceName(state) {
  if (state.view === "flow" || (state.from === "rollout" && state.view === "text")) return "rollout, all layers";
  if (state.from === "layer") return `layer ${state.layer}, mean of ${front.heads.length} heads`;
  const chosen = wanted(state);
  if (state.from === "chosen" && pairs(state.chosen).length) {
    const names = chosen.map(([l, h]) => `${front.layers[l]}·${front.heads[h]}`);
    return `mean of ${names.slice(0, 6).join(", ")}${names.length > 6 ? ` and ${names.length - 6} more` : ""}`;
  }
  return `layer ${state.layer}, head ${state.head}`;
}

/** A name of the grid that the state asks for. @param {State} state */
export const gridName = (state) =>
  [wanted(state).join(" "), state.unit, Number(state.special), Number(state.sinks)].join("|");

/** @param {Axis} axis @param {number} count */
function unitOf(axis, count) {
  if (axis.units.length === count && axis.units.every((unit) => unit.members.length === 1)) return null;
  const found = new Int32Array(count);
  axis.units.forEach((unit, i) => unit.members.forEach((member) => (found[member] = i)));
  return found;
}

/** @param {Axis} axis */
const specials = (axis) => Uint8Array.from(axis.units, (unit) => Number(unit.special));

/** What the worker has to know of the units. @param {State} state @returns {import("./worker.js").Units} */
export function units(state) {
  const { query, key } = axes(state.unit);
  return {
    nq: query.units.length,
    nk: key.units.length,
    rowOf: unitOf(query, front.queries.length),
    columnOf: unitOf(key, front.keys.length),
    specialQueries: specials(query),
    left: state.special ? new Uint8Array(key.units.length) : specials(key),
    hideSinks: !state.sinks,
  };
}

/** Indices of the units that are shown. @param {Axis} axis @param {boolean} special */
const shown = (axis, special) =>
  Int32Array.from(axis.units.flatMap((unit, i) => (special || !unit.special ? [i] : [])));

/** The 64 colours of the page as it is now. @param {State} state */
export const colours = (state) => (front.palettes[state.palette] ?? front.palettes.ember)[isDark() ? 1 : 0];

/** @param {State} state @returns {Paint} */
export function paintOf(state) {
  const steps = colours(state);
  const bent = bend(state.curve, state.gamma);
  return {
    colours: steps,
    words: words32(steps),
    table: table(state.curve, state.gamma),
    stepOf: (scaled) => stepOf(bent(Math.min(1, Math.max(0, scaled)))),
  };
}

/** The colours of differences, -1 to 1. @returns {Paint} */
export function signedPaint() {
  const steps = front.signed[isDark() ? 1 : 0];
  return { colours: steps, words: words32(steps), table: new Uint8Array(), stepOf: (scaled) => stepOf((scaled + 1) / 2) };
}

/** @param {State} state @param {Stocked} grid @returns {Scene} */
export function sceneOf(state, grid) {
  const { query, key } = axes(state.unit);
  const rows = shown(query, state.special);
  const scene = { state, grid, query, key, rows, columns: shown(key, state.special), paint: paintOf(state), highest: 0 };
  for (const q of rows) scene.highest = Math.max(scene.highest, grid.peaks[q] * norm(scene, q));
  return scene;
}

/** By what a row is multiplied: renormalised, what is shown of it sums to one. @param {Scene} scene @param {number} q */
export const norm = ({ state, grid }, q) => (state.renorm && grid.sums[q] > 0 ? 1 / grid.sums[q] : 1);

/** The value that is shown; 0 where its key is left out. @param {Scene} scene @param {number} q @param {number} k */
export function value(scene, q, k) {
  const { grid } = scene;
  if (grid.hidden[k]) return 0;
  return grid.levels[codeAt(grid, q, k)] * grid.largest[q] * norm(scene, q);
}

/** What a value is divided by before it is coloured. @param {Scene} scene @param {number} q */
export function ceiling(scene, q) {
  const { scale } = scene.state;
  return scale === "fixed" ? 1 : scale === "map" ? scene.highest : scene.grid.peaks[q] * norm(scene, q);
}

/** What a unit attends to (dir "to"), or who attends to it, in the units of the other side.
 * @param {Scene} scene @param {number} unit @param {string} dir @returns {Float32Array} */
export function values(scene, unit, dir) {
  const { grid } = scene;
  if (dir === "to") {
    const row = new Float32Array(grid.nk);
    addRow(row, grid, unit, norm(scene, unit));
    grid.hidden.forEach((hidden, k) => hidden && (row[k] = 0));
    return row;
  }
  const shownRows = new Set(scene.rows);
  return Float32Array.from({ length: grid.nq }, (_, q) => (shownRows.has(q) ? value(scene, q, unit) : 0));
}

/** The share of a row that is left out. @param {Scene} scene @param {number} q */
export const leftOut = ({ grid }, q) => (grid.totals[q] > 0 ? 1 - grid.sums[q] / grid.totals[q] : 0);

/** The mean of it over the rows shown. @param {Scene} scene */
export function meanLeftOut(scene) {
  let sum = 0;
  for (const q of scene.rows) sum += leftOut(scene, q);
  return scene.rows.length ? sum / scene.rows.length : 0;
}

