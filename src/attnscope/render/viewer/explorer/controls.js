// The explorer's controls: fields for parts of the state, buttons, and keys.

import { element } from "../dom.js";
import { bindForm } from "../form_binding.js";
import { listenKeys } from "../keyboard.js";
import { STATISTICS } from "./overview.js";
import { pairs, VIEW_NAMES } from "./view_state.js";
import { t } from "../speech.js";

/** @typedef {import("./views.js").Context} Context */

/** A list of choices. @param {HTMLElement} list @param {[string, string][]} choices */
function fill(list, choices) {
  list.replaceChildren(
    ...choices.map(([value, name]) => {
      const option = /** @type {HTMLOptionElement} */ (element("option", name));
      option.value = value;
      return option;
    }),
  );
}

/** @param {HTMLElement | null} element */
const hide = (element) => element && (element.hidden = true);

/** @param {Context} context @param {import("./store.js").ExplorerStore} store
 * @param {(kind: string) => Promise<void>} save "png", "svg" or "csv" */
export function listenControls(context, store, save) {
  const { dom, manifest, state, update } = context;
  const { layers, heads, statistics, palettes } = manifest;

  /** Moves to the layer or head this many places further, wrapping around. @param {"layer" | "head"} what
   * @param {number} by */
  function further(what, by) {
    const all = what === "layer" ? layers : heads;
    const next = (all.indexOf(state[what]) + by + all.length) % all.length;
    const from = (what === "head" && state.from === "layer") || state.from === "chosen" ? "head" : state.from;
    update({ [what]: all[next], from });
  }

  /** Pins the next or the previous generated unit. @param {number} direction */
  function stepGenerated(direction) {
    const model = context.current();
    if (!model) return;
    const generated = [...model.query.units.keys()].filter((i) => model.query.units[i].continued);
    if (!generated.length) return;
    const now = generated.indexOf(state.pin);
    const next =
      now < 0
        ? direction > 0
          ? 0
          : generated.length - 1
        : Math.max(0, Math.min(generated.length - 1, now + direction));
    update({ pin: generated[next], other: -1, dir: "to" });
    context.view().reveal?.(generated[next]);
  }

  const numbered = (/** @type {number} */ number) => /** @type {[string, string]} */ ([String(number), String(number)]);
  fill(dom.part("layer"), layers.map(numbered));
  fill(dom.part("head-number"), heads.map(numbered));
  fill(
    dom.part("palette"),
    Object.keys(palettes).map((name) => [name, name]),
  );
  if (manifest.coding.signed) {
    // Signed weights have colours of their own, and no attention sinks.
    for (const name of ["palette", "sinks"]) hide(dom.part(name).closest("label"));
    for (const option of dom.part("scale").querySelectorAll('[value="fixed"]')) option.textContent = "−1 to 1";
  }
  /** @type {[string, string][]} */
  const sorts = Object.keys(STATISTICS)
    .filter((name) => name in statistics)
    .flatMap((name) => [
      [name, t("most {statistic}", { statistic: t(STATISTICS[name][0]) })],
      [`-${name}`, t("least {statistic}", { statistic: t(STATISTICS[name][0]) })],
    ]);
  fill(dom.part("sort"), [["", t("layer and head")], ...sorts]);
  bindForm(dom, store, (key) =>
    key === "unit" || key === "dir" ? { pin: -1, other: -1, zoom: "" } : key === "special" ? { zoom: "" } : {},
  );

  /** What each button does. @type {Record<string, () => void>} */
  const buttons = {
    "layer-back": () => further("layer", -1),
    "layer-next": () => further("layer", 1),
    "head-back": () => further("head", -1),
    "head-next": () => further("head", 1),
    "step-back": () => stepGenerated(-1),
    "step-next": () => stepGenerated(1),
    theme: () => update({ theme: dom.isDark() ? "light" : "dark" }),
    unpin: () => update({ pin: -1, other: -1 }),
    "clear-chosen": () => update({ chosen: "", from: "head" }),
    "save-png": () => void save("png"),
    "save-svg": () => void save("svg"),
    "save-csv": () => void save("csv"),
  };
  for (const [part, press] of Object.entries(buttons)) dom.part(part).addEventListener("click", press);
  const viewButtons = dom.all("nav [data-view]");
  for (const button of viewButtons) {
    const view = VIEW_NAMES.find((name) => name === button.dataset.view);
    button.addEventListener("click", () => update({ view }));
  }

  /** @type {Record<string, () => void>} */
  const keys = {
    "[": () => further("head", -1),
    "]": () => further("head", 1),
    "{": () => further("layer", -1),
    "}": () => further("layer", 1),
    ArrowLeft: () => further("head", -1),
    ArrowRight: () => further("head", 1),
    ArrowUp: () => further("layer", -1),
    ArrowDown: () => further("layer", 1),
    ",": () => stepGenerated(-1),
    ".": () => stepGenerated(1),
    x: () => update({ special: !state.special }),
    r: () => update({ renorm: !state.renorm }),
    h: () => update({ sinks: !state.sinks }),
    w: () => update({ unit: state.unit === "word" ? "token" : "word", pin: -1, other: -1, zoom: "" }),
    d: () => update({ dir: state.dir === "to" ? "by" : "to", pin: -1, other: -1 }),
    Escape: () => update({ pin: -1, other: -1 }),
  };
  VIEW_NAMES.forEach((view, i) => (keys[String(i + 1)] = () => update({ view })));
  listenKeys(dom, keys);

  /** Updates what is not bound to a field from the state. */
  function reflect() {
    for (const button of viewButtons) {
      const here = button.dataset.view === state.view;
      if (here) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
      dom.part(button.dataset.view ?? "").hidden = !here;
    }
    const chosen = pairs(state.chosen).length;
    dom.part("chosen-count").textContent = chosen ? t("{count} heads selected", { count: chosen }) : "";
    dom.part("clear-chosen").hidden = !chosen;
    dom.part("unpin").hidden = state.pin < 0;
    dom.root.dataset.view = state.view;
    dom.part("head-number").toggleAttribute("disabled", state.from !== "head");
  }
  dom.part("steps").hidden = manifest.continued === null;
  context.onChange(reflect);
  reflect();
}
