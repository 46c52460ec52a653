// Finding words: matches are marked in the text and on the map, and Enter steps through them.

import { FindBar } from "../find_bar.js";
import { find } from "../units.js";

/** @typedef {import("./view_model.js").ViewModel} ViewModel @typedef {ReturnType<typeof createSearch>} Search */

/** @param {import("../dom.js").Dom} dom @param {import("./view_state.js").State} state @param {import("./store.js").Focus} focus */
export function createSearch(dom, state, focus) {
  /** @type {FindBar<{queries: number[][], keys: number[][]}>} */
  const findBar = new FindBar(dom);

  /** Matches on both sides, as units. @param {ViewModel} model */
  const matches = ({ query, key }) =>
    findBar.all(`${state.unit} ${state.find}`, state.find, () => {
      const queries = find(query, state.find);
      const keys = query === key ? queries : find(key, state.find);
      return { matches: { queries, keys }, count: queries.length + (keys === queries ? 0 : keys.length) };
    });

  return {
    matches,
    /** The matches as places on the axes of a map. @param {ViewModel} model */
    places(model) {
      const { queries, keys } = matches(model);
      const on = (/** @type {Int32Array} */ shown, /** @type {number[][]} */ matched) => {
        const wanted = new Set(matched.flat());
        return wanted.size ? [...shown.keys()].filter((place) => wanted.has(shown[place])) : [];
      };
      return { rows: on(model.rows, queries), columns: on(model.columns, keys) };
    },
    /** Moves the focus to the next match, or the previous one, and returns its unit; -1 where there is none.
     * @param {ViewModel} model @param {number} direction */
    next(model, direction) {
      const { queries, keys } = matches(model);
      const list = state.dir === "to" && queries.length ? queries : keys;
      const index = findBar.next(list.length, direction);
      if (index < 0) return -1;
      const unit = list[index][0];
      if (focus.unit !== unit) focus.point(unit, -1);
      return unit;
    },
  };
}
