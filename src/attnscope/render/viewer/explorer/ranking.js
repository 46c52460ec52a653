// The panel beside every view: what a unit attends to, or who attends to it, as a table; and the line that is spoken.

import { number, percent, short } from "../format.js";
import { focus, state, update } from "./hub.js";
import { byId, element, own, put, say } from "../page.js";
import { rankLines } from "../ranked.js";
import { leftOut, values } from "./scene.js";

/** @typedef {import("./scene.js").Scene} Scene */

export const TOP = 12;
let spoken = 0;

/** Places of the largest values, largest first; equal ones in order. @param {Float32Array} row
 * @param {Int32Array} among @param {number} count */
export function largest(row, among, count) {
  /** @type {number[]} */
  const best = [];
  for (const i of among) {
    if (!(row[i] > 0) || (best.length === count && row[i] <= row[best[best.length - 1]])) continue;
    let at = best.length;
    while (at > 0 && row[best[at - 1]] < row[i]) at--;
    best.splice(at, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}

/** One and how many are larger. @param {Float32Array} row @param {Int32Array} among @param {number} place */
export function rank(row, among, place) {
  let larger = 1;
  for (const i of among) if (row[i] > row[place]) larger++;
  return larger;
}

/** @param {Scene} scene */
const sides = ({ query, key, rows, columns, state: { dir } }) =>
  dir === "to" ? { from: query, to: key, among: columns } : { from: key, to: query, among: rows };

/** "query → key, value, rank r of n", whatever the direction. @param {Scene} scene @param {Float32Array} row */
function line(scene, row) {
  const { from, to, among } = sides(scene);
  const [one, other] = [from.units[focus.unit].label, to.units[focus.other].label];
  const arrow = scene.state.dir === "to" ? `${one} → ${other}` : `${other} → ${one}`;
  return `${arrow}, ${number(row[focus.other])}, rank ${rank(row, among, focus.other)} of ${among.length}`;
}

/**
 * @param {Scene} scene @param {Float32Array | null} given values of the unit where they are not the map's own: rollout
 */
export function showRanking(scene, given = null) {
  const { from, to, among } = sides(scene);
  const title = byId("ranking-title");
  const unit = from.units[focus.unit];
  if (!unit) {
    title.replaceChildren(scene.state.view === "overview" ? "" : "Hover a word or cell, or click it to pin it.");
    put(byId("left-out"), "");
    table([]);
    return;
  }
  const row = given ?? values(scene, focus.unit, scene.state.dir);
  const second = compared(scene, given);
  if (title.children.length !== 4) title.replaceChildren(own(""), element("span"), own(""), element("span"));
  const verb = scene.state.view === "flow" ? "comes from, in the end" : scene.state.dir === "to" ? "attends to" : "is attended to by";
  const other = second ? short(from.units[state.other].label, 40) : "";
  [short(unit.label, 40), second ? " beside " : ` ${verb}`, other, second ? ` ${verb}` : ""].forEach((words, i) => put(title.children[i], words));
  put(byId("left-out"), given ? "" : share(scene, focus.unit));
  if (second) differences(scene, row, second);
  else rows(row, largest(row, among, TOP), to);
  clearTimeout(spoken);
  const words = focus.other >= 0 && to.units[focus.other] ? line(scene, row) : first(scene, row);
  spoken = setTimeout(() => say(words), 120);
}

/** The second pinned unit's values. @param {Scene} scene @param {Float32Array | null} given */
const compared = (scene, given) =>
  state.other >= 0 && !given && sides(scene).from.units[state.other] ? values(scene, state.other, state.dir) : null;

/** @param {Scene} scene @param {Float32Array} row */
function first(scene, row) {
  const { from, to, among } = sides(scene);
  const [best] = largest(row, among, 1);
  const name = from.units[focus.unit].label;
  if (best === undefined) return `${name}: nothing is shown`;
  const [one, other] = scene.state.dir === "to" ? [name, to.units[best].label] : [to.units[best].label, name];
  return `${one} → ${other}, ${number(row[best])}, rank 1 of ${among.length}`;
}

/** @param {Scene} scene @param {number} unit */
function share(scene, unit) {
  if (scene.state.dir !== "to") return "";
  const out = leftOut(scene, unit);
  if (out < 0.0005) return "";
  const special = !scene.state.special && scene.key.units.some((one) => one.special);
  const what = [special ? "special tokens" : "", scene.grid.sinks.length ? "hidden sinks" : ""].filter(Boolean);
  return `${percent(out)} went to ${what.join(" and ")}${scene.state.renorm ? "; the rest is scaled up to 1" : ""}.`;
}

/** A click on a line looks from there. @param {import("../ranked.js").Line[]} lines */
const table = (lines) => rankLines(lines, (unit) => update({ pin: unit, other: -1 }));

/** @param {Float32Array} row @param {number[]} best @param {import("../units.js").Axis} to */
const rows = (row, best, to) =>
  table(best.map((unit) => ({ unit, label: named(to, unit), share: row[unit] / row[best[0]], last: number(row[unit]), here: unit === focus.other })));

/** @param {import("../units.js").Axis} to @param {number} unit */
const named = (to, unit) => short(to.units[unit].label, 40);

/** Where two rows differ most. @param {Scene} scene @param {Float32Array} one @param {Float32Array} two */
function differences(scene, one, two) {
  const { to, among } = sides(scene);
  const most = largest(one.map((value, i) => Math.abs(value - two[i])), among, TOP);
  table(most.map((unit) => ({ unit, label: named(to, unit), middle: number(one[unit]), last: number(two[unit]), here: unit === focus.other })));
}
