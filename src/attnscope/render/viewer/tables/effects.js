// Adds to the pages of effects, which can be read without it: sorting, and the buttons that save.

import { Dom } from "../dom.js";
import { listenButtons, sortable } from "./tables.js";

/** The first table of a result, as attnscope's own CSV has it. @param {Record<string, any>} data
 * @returns {(string | number)[][]} */
const tableOf = (data) => [
  ["next", "before", "after", "place_before", "place_after"],
  ...data.ranking.map((/** @type {Record<string, any>} */ one) => [
    one.text,
    one.before,
    one.after,
    one.place_before,
    one.place_after,
  ]),
];

/** @param {HTMLElement} root @param {import("../source.js").ResultSource} source */
export function start(root, source) {
  const dom = new Dom(root);
  for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (root.querySelectorAll("table.all"))) sortable(table);
  const data = JSON.parse(source.result());
  listenButtons(dom, source, `attnscope-${data.type.replace("_", "-")}`, () => tableOf(data));
}
