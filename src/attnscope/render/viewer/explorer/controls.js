// The page's controls: fields for parts of the state, and buttons.

import { save } from "./export.js";
import { bind } from "../fields.js";
import { hub, onChange, state, update } from "./hub.js";
import { front } from "./front.js";
import { byId, element, isDark } from "../page.js";
import { STATISTICS } from "./overview.js";
import { pairs } from "./choices.js";

/** @typedef {import("./scene.js").Scene} Scene */

/** A list of choices. @param {string} id @param {[string, string][]} choices */
function fill(id, choices) {
  byId(id).replaceChildren(
    ...choices.map(([value, name]) => {
      const option = /** @type {HTMLOptionElement} */ (element("option", name));
      option.value = value;
      return option;
    }),
  );
}

/** The layer or head that stands so many places further, round the end. @param {"layer" | "head"} what
 * @param {number} by */
export function further(what, by) {
  const all = what === "layer" ? front.layers : front.heads;
  const at = (all.indexOf(state[what]) + by + all.length) % all.length;
  const from = what === "head" && state.from === "layer" ? "head" : state.from === "chosen" ? "head" : state.from;
  update({ [what]: all[at], from });
}

/** @param {() => Scene | null} current */
export function control(current) {
  fill("layer", front.layers.map((layer) => [String(layer), String(layer)]));
  fill("head-number", front.heads.map((head) => [String(head), String(head)]));
  fill("palette", Object.keys(front.palettes).map((name) => [name, name]));
  /** @type {[string, string][]} */
  const sorts = Object.keys(STATISTICS).filter((name) => name in front.statistics).flatMap((name) => [
    [name, `most ${STATISTICS[name][0]}`],
    [`-${name}`, `least ${STATISTICS[name][0]}`],
  ]);
  fill("sort", [["", "layer and head"], ...sorts]);
  bind(hub, (key) => (key === "unit" || key === "dir" ? { pin: -1, other: -1, zoom: "" } : key === "special" ? { zoom: "" } : {}));
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-view]"))) {
    button.addEventListener("click", () => update({ view: button.dataset.view }));
  }
  byId("layer-back").addEventListener("click", () => further("layer", -1));
  byId("layer-next").addEventListener("click", () => further("layer", 1));
  byId("head-back").addEventListener("click", () => further("head", -1));
  byId("head-next").addEventListener("click", () => further("head", 1));
  byId("theme").addEventListener("click", () => update({ theme: isDark() ? "light" : "dark" }));
  byId("unpin").addEventListener("click", () => update({ pin: -1, other: -1 }));
  byId("clear-chosen").addEventListener("click", () => update({ chosen: "", from: "head" }));
  for (const kind of ["png", "svg", "csv"]) byId(`save-${kind}`).addEventListener("click", () => void save(kind, current()));
  onChange(reflect);
  reflect();
}

/** What is no field, as the state has it. */
function reflect() {
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-view]"))) {
    const here = button.dataset.view === state.view;
    if (here) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
    byId(button.dataset.view ?? "").hidden = !here;
  }
  const chosen = pairs(state.chosen).length;
  byId("chosen-count").textContent = chosen ? `${chosen} heads selected` : "";
  byId("clear-chosen").hidden = !chosen;
  byId("unpin").hidden = state.pin < 0;
  document.documentElement.dataset.view = state.view;
  const named = state.from === "head";
  byId("head-number").toggleAttribute("disabled", !named);
}
