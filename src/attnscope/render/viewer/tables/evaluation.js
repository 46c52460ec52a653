// Adds to an evaluation's page, which can be read without it: sorting, and the lines of the method under the pointer.

import { Dom } from "../dom.js";
import { listenButtons, sortable } from "./tables.js";

const COLUMNS = ["metric", "better", "method", "mean", "low", "high", "texts"].concat(
  ["difference", "difference_low", "difference_high"],
  ["p", "verdict"],
);

/** A method's row of a metric, as attnscope's own CSV has it. @param {Record<string, any>} one
 * @returns {(string | number)[]} */
const rowOf = ({ metric, better, method, mean, low, high, count, difference, p, verdict }) =>
  [metric, better, method, mean, low, high, count, ...difference, p, verdict].map((cell) => cell ?? "");

/** @param {HTMLElement} root @param {import("../source.js").ResultSource} source */
export function start(root, source) {
  const dom = new Dom(root);
  const table = /** @type {HTMLTableElement} */ (root.querySelector("table.all"));
  sortable(table);

  /** @param {EventTarget | null} target */
  function point(target) {
    const row = target instanceof Element ? target.closest("tr[data-method]") : null;
    const method = row instanceof HTMLElement ? row.dataset.method : undefined;
    for (const marked of root.querySelectorAll("tr[data-method], svg g[data-method]")) {
      marked.classList.toggle("on", method !== undefined && marked.getAttribute("data-method") === method);
    }
  }

  table.addEventListener("pointerover", (event) => point(event.target));
  table.addEventListener("pointerleave", () => point(null));
  table.addEventListener("focusin", (event) => point(event.target));
  table.addEventListener("focusout", () => point(null));
  const { standings } = JSON.parse(source.result());
  listenButtons(dom, source, "attnscope-evaluation", () => [COLUMNS, ...standings.map(rowOf)]);
}
