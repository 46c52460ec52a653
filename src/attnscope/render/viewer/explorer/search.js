// Finding words: marked in the text and on the map, walked through with Enter.

import { focus, point, state } from "./hub.js";
import { byId, oneText, say } from "./page.js";
import { find } from "./units.js";

/** @typedef {import("./scene.js").Scene} Scene */

/** @type {{name: string, queries: number[][], keys: number[][]}} */
let known = { name: "", queries: [], keys: [] };
let at = -1;

/** Matches on both sides, as units. @param {Scene} scene */
export function matches({ query, key }) {
  const name = `${state.unit} ${state.find}`;
  if (known.name !== name) {
    const queries = find(query, state.find);
    known = { name, queries, keys: oneText && query === key ? queries : find(key, state.find) };
    at = -1;
    const count = queries.length + (known.keys === queries ? 0 : known.keys.length);
    byId("found").textContent = state.find ? String(count) : "";
    if (state.find) say(`${count} found`);
  }
  return known;
}

/** As places on the axes of a map. @param {Scene} scene */
export function places(scene) {
  const { queries, keys } = matches(scene);
  const on = (/** @type {Int32Array} */ shown, /** @type {number[][]} */ found) => {
    const wanted = new Set(found.flat());
    return wanted.size ? [...shown.keys()].filter((place) => wanted.has(shown[place])) : [];
  };
  return { rows: on(scene.rows, queries), columns: on(scene.columns, keys) };
}

/** The next match, or the last one: looked at. @param {Scene} scene @param {number} direction
 * @param {(unit: number) => void} bring into sight */
export function next(scene, direction, bring) {
  const { queries, keys } = matches(scene);
  const list = state.dir === "to" && queries.length ? queries : keys;
  if (!list.length) return;
  at = (at + direction + list.length) % list.length;
  const unit = list[at][0];
  if (focus.unit !== unit) point(unit, -1);
  bring(unit);
  say(`match ${at + 1} of ${list.length}`);
}
