// The one state, who hears of its changes, and what is pointed at.

import { CHOICES, DEFAULTS, within } from "./choices.js";
import { front } from "./front.js";
import { stated } from "../state.js";

/** @typedef {import("./choices.js").State} State */

/** What this page shows before anything is chosen. @type {State} */
export const BASE = { ...DEFAULTS, layer: front.layers[0] ?? 0, head: front.heads[0] ?? 0 };

/** A link may ask for a layer or head that this page has not. @param {State} state @returns {State} */
const here = (state) => ({
  ...within(state),
  layer: front.layers.includes(state.layer) ? state.layer : BASE.layer,
  head: front.heads.includes(state.head) ? state.head : BASE.head,
});

export const hub = stated(BASE, CHOICES, here);
export const state = hub.state;
export const update = hub.update;
export const onChange = hub.onChange;
/** The fragment of what is seen. */
export const fragment = hub.fragment;

/**
 * unit: what is looked at (a query for dir "to", a key for "by"); other: what it is looked at with; -1 for none.
 * Not of the state: a link to a view does not hold where the pointer was.
 */
export const focus = { unit: -1, other: -1 };

/** @type {(() => void)[]} */
const heardFocus = [];

/** @param {() => void} heard */
export const onFocus = (heard) => void heardFocus.push(heard);

/** What is looked at now: the pinned unit holds. @param {number} unit @param {number} other */
export function point(unit, other) {
  if (state.pin >= 0) [unit, other] = [state.pin, other >= 0 ? other : unit === state.pin ? -1 : unit];
  if (focus.unit === unit && focus.other === other) return;
  [focus.unit, focus.other] = [unit, other];
  for (const heard of heardFocus) heard();
}
