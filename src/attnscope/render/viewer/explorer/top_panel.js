// The panel beside every view: what a unit attends to, or what attends to it, as a table; and the line that screen
// readers announce.

import { setPhrase, setText } from "../dom.js";
import { number, percent, short } from "../format.js";
import { createTopTable } from "../top_table.js";
import { leftOut, values } from "./view_model.js";
import { later, phrase, t } from "../speech.js";

/** @typedef {import("./view_model.js").ViewModel} ViewModel @typedef {import("./views.js").View} View */

const TOP = 12;

/** How a unit, or two, relate to what is listed. @type {Record<string, string>} */
const VERBS = {
  to: later("{unit} attends to"),
  by: later("{unit} is attended to by"),
  "to both": later("{unit} beside {other} attends to"),
  "by both": later("{unit} beside {other} is attended to by"),
};

/** Rounds a number for a table, to somewhat more digits than the maps' eight bits hold. @param {number} share */
export const digits = (share) => Number(share.toPrecision(6));

/** Places of the largest values without signs, largest first; equal ones in order. @param {Float32Array} row
 * @param {Int32Array} among @param {number} count */
function largest(row, among, count) {
  /** @type {number[]} */
  const best = [];
  for (const i of among) {
    const size = Math.abs(row[i]);
    if (!(size > 0) || (best.length === count && size <= Math.abs(row[best[best.length - 1]]))) continue;
    let position = best.length;
    while (position > 0 && Math.abs(row[best[position - 1]]) < size) position--;
    best.splice(position, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}

/** The rank of a value: one plus the number of larger ones, without signs. @param {Float32Array} row @param {Int32Array} among
 * @param {number} place */
export function rank(row, among, place) {
  let larger = 1;
  for (const i of among) if (Math.abs(row[i]) > Math.abs(row[place])) larger++;
  return larger;
}

/** @param {ViewModel} model */
const sides = ({ query, key, rows, columns, state: { dir } }) =>
  dir === "to" ? { from: query, to: key, among: columns } : { from: key, to: query, among: rows };

/** @param {import("./views.js").Context} context */
export function createTopPanel({ dom, state, update, focus }) {
  const showTop = createTopTable(dom);
  let speaking = 0;

  /** The second pinned unit's values, where two are compared. @param {ViewModel} model @param {Float32Array | null} given */
  const compared = (model, given) =>
    state.other >= 0 && !given && sides(model).from.units[state.other] ? values(model, state.other, state.dir) : null;

  /** The focus in words, as on the page and in files; empty where there is none.
   * @param {ViewModel} model @param {View} view @returns {import("../dom.js").Phrase} */
  function subject(model, view) {
    const { units } = sides(model).from;
    const unit = units[focus.unit];
    if (!unit) return [];
    const other = compared(model, view.values?.(model) ?? null) ? units[state.other] : undefined;
    const verb = view.verb?.() || VERBS[`${state.dir}${other ? " both" : ""}`];
    return phrase(verb, { unit: short(unit.label, 40), other: short(other?.label ?? "", 40) });
  }

  /** "query → key, value, rank r of n", whatever the direction. @param {ViewModel} model @param {Float32Array} row */
  function spokenPair(model, row) {
    const { from, to, among } = sides(model);
    const ends = [from.units[focus.unit].label, to.units[focus.other].label];
    if (state.dir !== "to") ends.reverse();
    return t("{pair}, {value}, rank {rank} of {count}", {
      pair: ends.join(" → "),
      value: number(row[focus.other]),
      rank: rank(row, among, focus.other),
      count: among.length,
    });
  }

  /** @param {ViewModel} model @param {Float32Array} row */
  function spokenFirst(model, row) {
    const { from, to, among } = sides(model);
    const [best] = largest(row, among, 1);
    const name = from.units[focus.unit].label;
    if (best === undefined) return t("{word}: nothing is shown", { word: name });
    const ends = [name, to.units[best].label];
    if (state.dir !== "to") ends.reverse();
    return t("{pair}, {value}, rank {rank} of {count}", {
      pair: ends.join(" → "),
      value: number(row[best]),
      rank: 1,
      count: among.length,
    });
  }

  /** A sentence on how much of the unit's row is not shown. @param {ViewModel} model */
  function leftOutSentence(model) {
    if (state.dir !== "to") return "";
    const out = leftOut(model, focus.unit);
    if (out < 0.0005) return "";
    const special = !state.special && model.key.units.some((unit) => unit.special);
    const sinks = model.map.sinks.length > 0;
    const went =
      special && sinks
        ? later("{share} went to special tokens and hidden sinks.")
        : sinks
          ? later("{share} went to hidden sinks.")
          : later("{share} went to special tokens.");
    return t(went, { share: percent(out) }) + (state.renorm ? t(" The rest is scaled up to 1.") : "");
  }

  /** Shows the lines; a click on one moves the focus to its unit. @param {import("../top_table.js").Line[]} lines */
  const showLines = (lines) => showTop(lines, (unit) => update({ pin: unit, other: -1 }));

  /** @param {ViewModel | null} model @param {View} view */
  function show(model, view) {
    const phrase = model ? subject(model, view) : [];
    if (!model || !phrase.length) {
      setPhrase(dom.part("top-title"), [t("Hover a word or cell, or click it to pin it.")]);
      setText(dom.part("left-out"), "");
      return showLines([]);
    }
    setPhrase(dom.part("top-title"), phrase);
    const { to, among } = sides(model);
    const given = view.values?.(model) ?? null;
    const row = given ?? values(model, focus.unit, state.dir);
    const second = compared(model, given);
    setText(dom.part("left-out"), given ? "" : leftOutSentence(model));
    const line = (/** @type {number} */ unit) => ({
      unit,
      label: short(to.units[unit].label, 40),
      here: unit === focus.other,
    });
    if (second) {
      const most = largest(
        row.map((first, i) => Math.abs(first - second[i])),
        among,
        TOP,
      );
      showLines(most.map((unit) => ({ ...line(unit), middle: number(row[unit]), last: number(second[unit]) })));
    } else {
      const best = largest(row, among, TOP);
      showLines(
        best.map((unit) => ({ ...line(unit), share: Math.abs(row[unit] / row[best[0]]), last: number(row[unit]) })),
      );
    }
    clearTimeout(speaking);
    const words = focus.other >= 0 && to.units[focus.other] ? spokenPair(model, row) : spokenFirst(model, row);
    speaking = setTimeout(() => dom.say(words), 120);
    return undefined;
  }

  return { subject, show };
}
