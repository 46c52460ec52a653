// What pages with tables share: columns that sort, rows that are filtered, the switch of colours, the download.

/** @param {string} id @returns {HTMLElement} */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Four significant digits, as Python's caption writes them. @param {number} value */
function number(value) {
  const rounded = Number(value.toPrecision(4));
  const size = Math.abs(rounded);
  return size > 0 && (size < 1e-4 || size >= 1e4) ? rounded.toExponential() : String(rounded);
}

/** A cell sorts by its data-sort, else by its text. @param {HTMLTableRowElement} row @param {number} column */
const sortKey = (row, column) => row.cells[column].dataset.sort ?? row.cells[column].textContent ?? "";

/** The buttons in the heads of a table sort it; a head says with data-first which way it sorts first.
 * @param {HTMLTableElement} table */
function sortable(table) {
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
        // What has no value comes last, whichever way.
        if (!a.key || !b.key) return Number(!a.key) - Number(!b.key);
        return sign * (numeric ? Number(a.key) - Number(b.key) : a.key.localeCompare(b.key));
      });
      body.append(...keys.map(({ row }) => row));
    });
  });
}

/** The field above a table leaves the rows that have all its words. */
function filterable() {
  const filter = /** @type {HTMLElement | null} */ (document.querySelector(".filter"));
  const table = /** @type {HTMLTableElement | null} */ (document.querySelector("table.all"));
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
    count.textContent = words.length ? `${left} of ${rows.length}` : "";
  });
}

/** The buttons at the top. @param {string} file what a download is called */
function controls(file) {
  byId("theme").addEventListener("click", () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const now = document.documentElement.dataset.theme ?? system;
    document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  });
  byId("download").addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([byId("data").textContent ?? ""], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = file;
    link.click();
    URL.revokeObjectURL(url);
  });
  for (const hidden of document.querySelectorAll(".controls, .hint")) /** @type {HTMLElement} */ (hidden).hidden = false;
}
