// Adds to an evaluation's page, which reads without it: sorting, and the lines of the method that is pointed at.

import { ready, sortable } from "./tables.js";

const table = /** @type {HTMLTableElement} */ (document.querySelector("table.all"));
sortable(table);

/** @param {EventTarget | null} target */
function point(target) {
  const row = target instanceof Element ? target.closest("tr[data-method]") : null;
  const method = row instanceof HTMLElement ? row.dataset.method : undefined;
  for (const one of document.querySelectorAll("tr[data-method], svg g[data-method]")) {
    one.classList.toggle("on", method !== undefined && one.getAttribute("data-method") === method);
  }
}

table.addEventListener("pointerover", (event) => point(event.target));
table.addEventListener("pointerleave", () => point(null));
table.addEventListener("focusin", (event) => point(event.target));
table.addEventListener("focusout", () => point(null));
ready("attnscope-evaluation.json");
