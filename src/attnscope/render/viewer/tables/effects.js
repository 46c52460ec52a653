// Adds to the pages of effects, which can be read without it: sorting, and the buttons that save.

import { Dom } from "../dom.js";
import { listenButtons, sortable } from "./tables.js";

/** @typedef {Record<string, any>} Data */

const ROWS = {
  /** @param {Data} data @returns {(string | number)[][]} */
  effect: (data) => [
    ["next", "before", "after", "place_before", "place_after"],
    ...data.ranking.map((/** @type {Data} */ one) => [
      one.text,
      one.before,
      one.after,
      one.place_before,
      one.place_after,
    ]),
  ],
  /** @param {Data} data @returns {(string | number)[][]} */
  head_effects: (data) => [
    ["layer", "head", "estimate", "exact"],
    ...data.layers.flatMap((/** @type {number} */ layer, /** @type {number} */ i) =>
      Array.from({ length: data.heads[i] }, (_, head) => [
        layer,
        head,
        mean(data.estimates, i, head),
        mean(data.exact, i, head),
      ]),
    ),
  ],
  /** @param {Data} data @returns {(string | number)[][]} */
  edge_effects: (data) => [
    ["word", "layer", "effect"],
    ...data.words.flatMap((/** @type {string} */ word, /** @type {number} */ i) =>
      data.layers.map((/** @type {number} */ layer, /** @type {number} */ j) => [
        word,
        layer,
        mean(data.effects, i, j),
      ]),
    ),
  ],
};

/** The mean over the texts; nothing where there is no value. @param {(number | null)[][][]} values
 * @param {number} i @param {number} j @returns {number | string} */
function mean(values, i, j) {
  let sum = 0;
  for (const text of values) {
    const one = text[i][j];
    if (one === null) return "";
    sum += one;
  }
  return sum / values.length;
}

/** @param {HTMLElement} root @param {import("../source.js").ResultSource} source */
export function start(root, source) {
  const dom = new Dom(root);
  for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (root.querySelectorAll("table.all"))) sortable(table);
  /** @type {Data} */
  const data = JSON.parse(source.result());
  const rows = ROWS[/** @type {keyof typeof ROWS} */ (data.type)];
  listenButtons(dom, source, `attnscope-${data.type.replace("_", "-")}`, () => rows(data));
}
