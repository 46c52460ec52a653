// The page's controls: each names the part of the state that it is for.

import { save } from "./export.js";
import { onChange, state, update } from "./hub.js";
import { byId, element, front } from "./page.js";
import { STATISTICS } from "./overview.js";
import { pairs } from "./state.js";

/** @typedef {import("./state.js").State} State @typedef {import("./scene.js").Scene} Scene */

/** @type {NodeListOf<HTMLInputElement | HTMLSelectElement>} */
const fields = document.querySelectorAll("[data-state]");

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
  for (const field of fields) {
    const key = /** @type {keyof State} */ (field.dataset.state);
    field.addEventListener(field.type === "range" || field.type === "search" ? "input" : "change", () => {
      /** @type {string | number | boolean} */
      let value = field.value;
      if (field instanceof HTMLInputElement && field.type === "checkbox") value = field.checked;
      else if (typeof state[key] === "number") value = Number(value);
      update({ [key]: value, ...(key === "unit" || key === "dir" ? { pin: -1, other: -1, zoom: "" } : key === "special" ? { zoom: "" } : {}) });
    });
  }
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-view]"))) {
    button.addEventListener("click", () => update({ view: button.dataset.view }));
  }
  byId("layer-back").addEventListener("click", () => further("layer", -1));
  byId("layer-next").addEventListener("click", () => further("layer", 1));
  byId("head-back").addEventListener("click", () => further("head", -1));
  byId("head-next").addEventListener("click", () => further("head", 1));
  byId("theme").addEventListener("click", () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const now = document.documentElement.dataset.theme ?? system;
    update({ theme: now === "dark" ? "light" : "dark" });
  });
  byId("unpin").addEventListener("click", () => update({ pin: -1, other: -1 }));
  byId("clear-chosen").addEventListener("click", () => update({ chosen: "", from: "head" }));
  for (const kind of ["png", "svg", "csv"]) byId(`save-${kind}`).addEventListener("click", () => void save(kind, current()));
  onChange(reflect);
  reflect();
}

/** Every control as the state has it. */
function reflect() {
  for (const field of fields) {
    const value = state[/** @type {keyof State} */ (field.dataset.state)];
    if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio")) {
      field.checked = field.type === "radio" ? field.value === value : Boolean(value);
    } else if (field.value !== String(value)) field.value = String(value);
  }
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
