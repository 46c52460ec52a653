// Keys of the whole page, and the help that lists them. A view that has its own use for a key takes it first.

import { byId } from "./page.js";

/** Whether a field has its own use for a key. @param {HTMLElement} target @param {string} key */
function takes(target, key) {
  if (target instanceof HTMLInputElement && target.type === "checkbox") return key === " ";
  if (target instanceof HTMLInputElement && target.type === "radio") return key === " " || key.startsWith("Arrow");
  return target.matches("input, select, textarea");
}

/** @param {Record<string, () => void>} keys what each does, beside "/" and "?" */
export function listenKeys(keys) {
  const help = /** @type {HTMLDialogElement} */ (byId("help"));
  const search = /** @type {HTMLInputElement} */ (byId("search"));
  /** @type {Record<string, () => void>} */
  const all = {
    ...keys,
    "/": () => {
      search.focus();
      search.select();
    },
    "?": () => help.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || help.open) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (takes(target, event.key)) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (!Object.hasOwn(all, event.key)) return;
    all[event.key]();
    event.preventDefault();
  });
  byId("help-open").addEventListener("click", () => help.showModal());
  byId("help-close").addEventListener("click", () => help.close());
  help.addEventListener("click", (event) => event.target === help && help.close());
}
