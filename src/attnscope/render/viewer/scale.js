// The numbers under the colours of the legend.

import { byId, element, put } from "./page.js";

/** @param {{place: number, text: string}[]} ticks places from 0 to 1 */
export function showTicks(ticks) {
  const holder = byId("ticks");
  while (holder.children.length > ticks.length) holder.lastChild?.remove();
  ticks.forEach(({ place, text }, i) => {
    const tick = /** @type {HTMLElement} */ (holder.children[i] ?? holder.appendChild(element("span")));
    put(tick, text);
    tick.style.insetInlineStart = `${100 * place}%`;
  });
}
