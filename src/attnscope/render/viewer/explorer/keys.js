// Keys of the whole page.

import { further } from "./controls.js";
import { state, update } from "./hub.js";
import { step } from "./text.js";

const VIEWS = ["overview", "head", "text", "lines", "flow"];
/** @type {Record<string, () => void>} */
export const KEYS = {
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
  x: () => update({ special: !state.special }),
  r: () => update({ renorm: !state.renorm }),
  h: () => update({ sinks: !state.sinks }),
  w: () => update({ unit: state.unit === "word" ? "token" : "word", pin: -1, other: -1, zoom: "" }),
  d: () => update({ dir: state.dir === "to" ? "by" : "to", pin: -1, other: -1 }),
  Escape: () => update({ pin: -1, other: -1 }),
};
VIEWS.forEach((view, i) => (KEYS[String(i + 1)] = () => update({ view })));
