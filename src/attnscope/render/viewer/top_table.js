// The table of the largest values: rank, text, a bar or a number, and a number.

import { bdi, element, setText } from "./dom.js";

/**
 * @typedef {{unit: number, label: string, share?: number, step?: number, middle?: string, last: string, here?: boolean}} Line
 * share: the length of the bar, 0 to 1; step: the step of its colour; middle: a text instead of it. here: whether the
 * pointer is on it.
 */

/** @typedef {(lines: Line[], pick: (unit: number) => void) => void} ShowTop  pick: what a click on a line does */

/** @param {import("./dom.js").Dom} dom @returns {ShowTop} */
export function createTopTable(dom) {
  const body = dom.part("top-rows");
  /** Rows are made once; a hover only changes their texts. @type {HTMLTableRowElement[]} */
  const rows = [];

  /** @param {number} at @param {(unit: number) => void} pick */
  function rowAt(at, pick) {
    if (rows[at]) return rows[at];
    const row = /** @type {HTMLTableRowElement} */ (element("tr"));
    const head = element("th");
    head.setAttribute("scope", "row");
    const button = element("button", "", "plain");
    button.append(bdi(""));
    button.addEventListener("click", () => pick(Number(row.dataset.unit)));
    head.append(button);
    row.append(element("td", String(at + 1)), head, element("td"), element("td", "", "value"));
    // In boxes of fixed size, so that a changed text lays out only its box and not the table.
    for (const cell of [row.cells[2], row.cells[3]]) cell.append(element("span", "", "cell"));
    row.cells[2].firstChild?.appendChild(element("i"));
    if (!at) body.replaceChildren(); // what Python wrote for readers without a script
    rows[at] = row;
    body.append(row);
    return row;
  }

  return (lines, pick) => {
    lines.forEach(({ unit, label, share = 0, step, middle = "", last, here = false }, at) => {
      const row = rowAt(at, pick);
      row.hidden = false;
      row.dataset.unit = String(unit);
      row.classList.toggle("here", here);
      const [, head, third, fourth] = row.cells;
      const bar = /** @type {HTMLElement} */ (third.firstChild?.firstChild);
      setText(/** @type {HTMLElement} */ (head.firstChild?.firstChild), label);
      setText(bar, middle);
      setText(/** @type {HTMLElement} */ (fourth.firstChild), last);
      third.className = middle ? "value" : "bar";
      bar.style.backgroundSize = middle ? "0" : `${Math.max(1, 100 * share)}% 100%`; // a width would cause layout
      if (step !== undefined) bar.className = `s${step}`;
    });
    for (const row of rows.slice(lines.length)) row.hidden = true;
  };
}
