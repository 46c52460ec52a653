// What is seen, as one object that fits into the URL's fragment: every view is a function of it.

/**
 * @typedef {{
 *   view: string, layer: number, head: number, from: string, chosen: string, unit: string, special: boolean,
 *   renorm: boolean, sinks: boolean, scale: string, curve: string, gamma: number, palette: string, theme: string,
 *   dir: string, pin: number, other: number, find: string, sort: string, zoom: string, space: boolean
 * }} State
 * layer, head: the model's own indices. from: "head", "layer" (its mean), "chosen" (mean of `chosen`) or "rollout".
 * special: special tokens are shown. sinks: keys that take much from everybody are shown.
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

/** What a key may be, where not every string is. @type {Record<string, string[]>} */
export const CHOICES = {
  view: ["overview", "head", "text", "lines", "flow"],
  from: ["head", "layer", "chosen", "rollout"],
  unit: ["word", "token"],
  scale: ["row", "map", "fixed"],
  curve: ["linear", "sqrt", "log"],
  theme: ["", "light", "dark"],
  dir: ["to", "by"],
};

/** The state of a fragment; what it does not know or cannot be is left as `base` has it.
 * @param {string} fragment @param {State} base @returns {State} */
export function parse(fragment, base) {
  /** @type {Record<string, string | number | boolean>} */
  const state = { ...base };
  for (const [key, value] of new URLSearchParams(fragment.replace(/^#/, ""))) {
    const before = Object.hasOwn(DEFAULTS, key) ? /** @type {any} */ (DEFAULTS)[key] : undefined;
    if (typeof before === "number") {
      if (value.trim() !== "" && Number.isFinite(Number(value))) state[key] = Number(value);
    } else if (typeof before === "boolean") state[key] = value === "1";
    else if (typeof before === "string" && (CHOICES[key]?.includes(value) ?? true)) state[key] = value;
  }
  state.gamma = Math.min(3, Math.max(0.2, Number(state.gamma)));
  return /** @type {State} */ (/** @type {unknown} */ (state));
}

/** The fragment of a state: only what differs from `base`. @param {State} state @param {State} base */
export function write(state, base) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) {
    if (value !== /** @type {any} */ (base)[key]) {
      query.set(key, typeof value === "boolean" ? (value ? "1" : "0") : String(value));
    }
  }
  return query.toString();
}

/** "3.2 5.1" -> [[3, 2], [5, 1]]; what is not a pair of whole numbers is left out. @param {string} chosen */
export const pairs = (chosen) =>
  chosen
    .split(/[ +]+/)
    .map((pair) => pair.split(".").map(Number))
    .filter((pair) => pair.length === 2 && pair.every(Number.isInteger));
