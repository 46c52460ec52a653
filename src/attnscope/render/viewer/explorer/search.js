// Finding words: marked in the text and on the map, walked through with Enter.

import { Finder } from "../finder.js";
import { focus, point, state } from "./hub.js";
import { oneText } from "./front.js";
import { find } from "../units.js";

/** @typedef {import("./scene.js").Scene} Scene */

/** @type {Finder<{queries: number[][], keys: number[][]}>} */
const finder = new Finder();

/** Matches on both sides, as units. @param {Scene} scene */
export const matches = ({ query, key }) =>
  finder.all(`${state.unit} ${state.find}`, state.find, () => {
    const queries = find(query, state.find);
    const keys = oneText && query === key ? queries : find(key, state.find);
    return { found: { queries, keys }, count: queries.length + (keys === queries ? 0 : keys.length) };
  });

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
  const at = finder.next(list.length, direction);
  if (at < 0) return;
  const unit = list[at][0];
  if (focus.unit !== unit) point(unit, -1);
  bring(unit);
}
