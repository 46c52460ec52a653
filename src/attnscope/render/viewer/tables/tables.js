// What pages with tables share: buttons at the top, sorting by columns, filtering of rows.

import { download } from "../dom.js";
import { csv } from "../format.js";
import { t } from "../speech.js";

/** Makes the buttons at the top work, and shows what needs a script. @param {import("../dom.js").Dom} dom
 * @param {import("../source.js").ResultSource} source @param {string} file what a download is called
 * @param {() => (string | number)[][]} table the rows of its CSV, the names of the columns first */
export function listenButtons(dom, source, file, table) {
  dom.part("theme").addEventListener("click", () => dom.setTheme(dom.isDark() ? "light" : "dark"));
  dom
    .part("save-json")
    .addEventListener("click", () =>
      download(`${file}.json`, new Blob([source.result()], { type: "application/json" })),
    );
  // The byte order mark tells spreadsheets that the file is UTF-8.
  dom
    .part("save-csv")
    .addEventListener("click", () =>
      download(`${file}.csv`, new Blob(["\ufeff", csv(table())], { type: "text/csv;charset=utf-8" })),
    );
  for (const hidden of dom.all(".scripted")) hidden.hidden = false;
}

/** A cell sorts by its data-sort, else by its text. @param {HTMLTableRowElement} row @param {number} column */
const sortKey = (row, column) => row.cells[column].dataset.sort ?? row.cells[column].textContent ?? "";

/** Makes the buttons in a table's column heads sort it; data-first on a head says which way it sorts first.
 * @param {HTMLTableElement} table */
export function sortable(table) {
  const body = table.tBodies[0];
  const heads = [...table.querySelectorAll("th")];
  const rows = [...body.rows];
  heads.forEach((head, column) => {
    head.querySelector("button")?.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const first = head.dataset.first ?? "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      const to = now === first ? second : first;
      for (const other of heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", to);
      const sign = to === "ascending" ? 1 : -1;
      const keys = rows.map((row) => ({ row, key: sortKey(row, column) }));
      const numeric = keys.every(({ key }) => !Number.isNaN(Number(key)));
      keys.sort((a, b) => {
        // Rows without a value come last, whichever way.
        if (!a.key || !b.key) return Number(!a.key) - Number(!b.key);
        return sign * (numeric ? Number(a.key) - Number(b.key) : a.key.localeCompare(b.key));
      });
      body.append(...keys.map(({ row }) => row));
    });
  });
}

/** Makes the field above a table filter its rows: only those with all its words are shown. @param {HTMLElement} root */
export function filterable(root) {
  const filter = /** @type {HTMLElement | null} */ (root.querySelector(".filter"));
  const table = /** @type {HTMLTableElement | null} */ (root.querySelector("table.all"));
  const input = filter?.querySelector("input");
  const count = filter?.querySelector("span");
  if (!filter || !table || !input || !count) return;
  const rows = [...table.tBodies[0].rows];
  filter.hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      const text = (row.textContent ?? "").toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) left += 1;
    }
    count.textContent = words.length ? t("{count} of {all}", { count: left, all: rows.length }) : "";
  });
}
