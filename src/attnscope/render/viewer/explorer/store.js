// The state of an explorer, and its focus: the unit under the pointer, or the pinned one.

import { CHOICES, DEFAULTS, within } from "./view_state.js";
import { createStore } from "../url_state.js";

/** @typedef {import("./view_state.js").State} State */
/** @typedef {import("../url_state.js").Store<State>} ExplorerStore */
/** @typedef {ReturnType<typeof createFocus>} Focus */

/** @param {import("../source.js").Manifest} manifest @param {import("../url_state.js").Address | null} address
 * @returns {ExplorerStore} */
export function createExplorerStore({ layers, heads }, address) {
  /** The state before the user chooses anything. @type {State} */
  const base = { ...DEFAULTS, layer: layers[0] ?? 0, head: heads[0] ?? 0 };
  /** A link may ask for a layer or head that is not here. @param {State} state @returns {State} */
  const here = (state) => ({
    ...within(state),
    layer: layers.includes(state.layer) ? state.layer : base.layer,
    head: heads.includes(state.head) ? state.head : base.head,
  });
  return createStore(base, CHOICES, address, here);
}

/**
 * unit: the unit in focus (a query for dir "to", a key for "by"); other: the unit that it is shown with; -1 for none.
 * Not part of the state: a link to a view does not remember where the pointer was.
 * @param {ExplorerStore} store
 */
export function createFocus({ state, update }) {
  /** @type {(() => void)[]} */
  const listeners = [];
  const focus = {
    unit: -1,
    other: -1,
    onChange: (/** @type {() => void} */ heard) => void listeners.push(heard),
    /** Moves the focus; a pinned unit keeps it. @param {number} unit @param {number} other */
    point(unit, other) {
      if (state.pin >= 0) [unit, other] = [state.pin, other >= 0 ? other : unit === state.pin ? -1 : unit];
      if (focus.unit === unit && focus.other === other) return;
      [focus.unit, focus.other] = [unit, other];
      for (const heard of listeners) heard();
    },
    /** Pins, compares or unpins. @param {number} unit @param {boolean} beside a second one */
    pin(unit, beside) {
      if (unit === state.pin) update({ pin: state.other, other: -1 });
      else if (unit === state.other) update({ other: -1 });
      else if (state.pin >= 0 && beside) update({ other: unit });
      else update({ pin: unit, other: -1 });
    },
  };
  return focus;
}
