// Keys of the whole page. A view that has its own use for a key takes it first.

import { further } from "./controls.js";
import { state, update } from "./hub.js";
import { byId } from "./page.js";
import { step } from "./text.js";

const VIEWS = ["overview", "head", "text", "lines", "flow"];
const help = /** @type {HTMLDialogElement} */ (byId("help"));
const search = /** @type {HTMLInputElement} */ (byId("search"));

/** @type {Record<string, () => void>} */
const KEYS = {
  "[": () => further("head", -1),
  "]": () => further("head", 1),
  "{": () => further("layer", -1),
  "}": () => further("layer", 1),
  ArrowLeft: () => further("head", -1),
  ArrowRight: () => further("head", 1),
  ArrowUp: () => further("layer", -1),
  ArrowDown: () => further("layer", 1),
  ",": () => step(-1),
  ".": () => step(1),
  "/": () => {
    search.focus();
    search.select();
  },
  "?": () => help.showModal(),
  x: () => update({ special: !state.special }),
  r: () => update({ renorm: !state.renorm }),
  h: () => update({ sinks: !state.sinks }),
  w: () => update({ unit: state.unit === "word" ? "token" : "word", pin: -1, other: -1, zoom: "" }),
  d: () => update({ dir: state.dir === "to" ? "by" : "to", pin: -1, other: -1 }),
  Escape: () => update({ pin: -1, other: -1 }),
};
VIEWS.forEach((view, i) => (KEYS[String(i + 1)] = () => update({ view })));

export function listenKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || help.open) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const field = target.closest("input, select, textarea");
    if (field && !(target instanceof HTMLInputElement && target.type === "checkbox" && event.key !== " ")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    const act = KEYS[event.key];
    if (!act) return;
    act();
    event.preventDefault();
  });
  byId("help-open").addEventListener("click", () => help.showModal());
  byId("help-close").addEventListener("click", () => help.close());
  help.addEventListener("click", (event) => event.target === help && help.close());
}
