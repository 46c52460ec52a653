// The one state, who hears of its changes, and what is pointed at.

import { front } from "./page.js";
import { DEFAULTS, parse, write } from "./state.js";

/** @typedef {import("./state.js").State} State */

/** What this page shows before anything is chosen. @type {State} */
export const BASE = { ...DEFAULTS, layer: front.layers[0] ?? 0, head: front.heads[0] ?? 0 };

/** One object, changed in place, so that every module has the same. @type {State} */
export const state = parse(location.hash, BASE);

/**
 * unit: what is looked at (a query for dir "to", a key for "by"); other: what it is looked at with; -1 for none.
 * Not of the state: a link to a view does not hold where the pointer was.
 */
export const focus = { unit: -1, other: -1 };

/** @type {((before: State) => void)[]} */
const heardChange = [];
/** @type {(() => void)[]} */
const heardFocus = [];
let written = 0;

/** @param {(before: State) => void} heard */
export const onChange = (heard) => void heardChange.push(heard);
/** @param {() => void} heard */
export const onFocus = (heard) => void heardFocus.push(heard);

/** @param {Partial<State>} patch */
export function update(patch) {
  const before = { ...state };
  Object.assign(state, patch);
  clearTimeout(written);
  written = setTimeout(remember, 120);
  for (const heard of heardChange) heard(before);
}

/** The fragment of what is seen. */
export const fragment = () => write(state, BASE);

function remember() {
  try {
    history.replaceState(null, "", `#${fragment()}`);
  } catch {
    // a notebook's frame has no address of its own
  }
}

addEventListener("hashchange", () => {
  const before = { ...state };
  Object.assign(state, parse(location.hash, BASE));
  for (const heard of heardChange) heard(before);
});

/** What is looked at now: the pinned unit holds. @param {number} unit @param {number} other */
export function point(unit, other) {
  if (state.pin >= 0) [unit, other] = [state.pin, other >= 0 ? other : unit === state.pin ? -1 : unit];
  if (focus.unit === unit && focus.other === other) return;
  [focus.unit, focus.other] = [unit, other];
  for (const heard of heardFocus) heard();
}
