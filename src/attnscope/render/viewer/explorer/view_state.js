// The parts of the explorer's state.

export const VIEW_NAMES = /** @type {const} */ (["overview", "head", "text", "lines", "flow"]);
/** @typedef {typeof VIEW_NAMES[number]} ViewName */

/**
 * @typedef {{
 *   view: ViewName, layer: number, head: number, from: string, chosen: string, unit: string, special: boolean,
 *   renorm: boolean, sinks: boolean, scale: string, curve: string, gamma: number, palette: string, theme: string,
 *   dir: string, pin: number, other: number, find: string, sort: string, zoom: string, space: boolean
 * }} State
 * layer, head: the model's own indices. from: "head", "layer" (its mean), "chosen" (mean of `chosen`) or "rollout".
 * special: whether special tokens are shown. sinks: whether attention sinks are shown.
 * pin, other: the pinned unit and the one it is compared with; -1 for none. zoom: "x y times" of the map.
 */

/** @type {State} */
export const DEFAULTS = {
  view: "overview",
  layer: 0,
  head: 0,
  from: "head",
  chosen: "",
  unit: "word",
  special: false,
  renorm: false,
  sinks: true,
  scale: "row",
  curve: "sqrt",
  gamma: 1,
  palette: "ember",
  theme: "",
  dir: "to",
  pin: -1,
  other: -1,
  find: "",
  sort: "",
  zoom: "",
  space: false,
};

/** The values that a key may have, where not every string is allowed. @type {Record<string, string[]>} */
export const CHOICES = {
  view: [...VIEW_NAMES],
  from: ["head", "layer", "chosen", "rollout"],
  unit: ["word", "token"],
  scale: ["row", "map", "fixed"],
  curve: ["linear", "sqrt", "log"],
  theme: ["", "light", "dark"],
  dir: ["to", "by"],
};

/** Limits a state from a link to what the page can draw. @param {State} state @returns {State} */
export const within = (state) => ({ ...state, gamma: Math.min(3, Math.max(0.2, state.gamma)) });

/** "3.2 5.1" -> [[3, 2], [5, 1]]; anything but pairs of whole numbers is left out. @param {string} chosen */
export const pairs = (chosen) =>
  chosen
    .split(/[ +]+/)
    .map((pair) => pair.split(".").map(Number))
    .filter((pair) => pair.length === 2 && pair.every(Number.isInteger));
