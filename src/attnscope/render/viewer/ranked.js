// The table of the largest values: a place, a text, a bar or a number, a number.

import { byId, element, own } from "./page.js";

/**
 * @typedef {{unit: number, label: string, share?: number, step?: number, middle?: string, last: string, here?: boolean}} Line
 * share: the length of a bar, 0 to 1; step: its colour's; middle: a text in its place. here: it is pointed at.
 */

/** Rows, made once: a hover changes their texts. @type {HTMLTableRowElement[]} */
const made = [];

/** @param {number} at @param {(unit: number) => void} pick */
function rowAt(at, pick) {
  const found = made[at];
  if (found) return found;
  const row = /** @type {HTMLTableRowElement} */ (element("tr"));
  const head = element("th");
  head.setAttribute("scope", "row");
  const button = element("button", "", "plain");
  button.append(own(""));
  button.addEventListener("click", () => pick(Number(row.dataset.unit)));
  head.append(button);
  row.append(element("td", String(at + 1)), head, element("td"), element("td", "", "value"));
  row.cells[2].append(element("i"));
  if (!at) byId("ranking").replaceChildren(); // what Python wrote for readers without a script
  made[at] = row;
  byId("ranking").append(row);
  return row;
}

/** @param {Line[]} lines @param {(unit: number) => void} pick what a click on one does */
export function rankLines(lines, pick) {
  lines.forEach(({ unit, label, share = 0, step, middle = "", last, here = false }, at) => {
    const row = rowAt(at, pick);
    row.hidden = false;
    row.dataset.unit = String(unit);
    row.classList.toggle("here", here);
    const [, head, third, fourth] = row.cells;
    const name = /** @type {HTMLElement} */ (head.firstChild?.firstChild);
    if (name.textContent !== label) name.textContent = label;
    third.className = middle ? "value" : "bar";
    const bar = /** @type {HTMLElement} */ (third.firstChild);
    bar.textContent = middle;
    bar.style.width = middle ? "" : `${Math.max(1, 100 * share)}%`;
    bar.className = step === undefined ? "" : `s${step}`;
    fourth.textContent = last;
  });
  for (const row of made.slice(lines.length)) row.hidden = true;
}
