// The tip beside what is pointed at: a name and lines under it.

import { byId, element } from "./page.js";

const tip = byId("tip");
/** @type {Element | null} What the tip stands at, unless at a point. */
let told = null;

/** @param {Node | string | null} name @param {string[]} lines */
function write(name, lines) {
  const parts = lines.map((line) => element("div", line));
  if (name) {
    const head = element("b");
    head.append(name);
    parts.unshift(head);
  }
  tip.replaceChildren(...parts);
  tip.hidden = false;
}

/** At a place of the window, as far as there is room. @param {number} x @param {number} y */
function place(x, y) {
  const { clientWidth } = document.documentElement;
  const [left, top] = [Math.max(8, Math.min(x, clientWidth - tip.offsetWidth - 8)), Math.min(y, innerHeight - tip.offsetHeight - 8)];
  tip.style.transform = `translate(${left}px, ${top}px)`;
}

/** Above an element, or below where there is no room. @param {Element} target @param {string | null} name
 * @param {string[]} lines */
export function tellOf(target, name, lines) {
  write(name, lines);
  told = target;
  standAt(target);
}

/** @param {Element} target */
function standAt(target) {
  const box = target.getClientRects()[0] ?? target.getBoundingClientRect();
  const above = box.top - tip.offsetHeight - 8;
  place(box.left, above > 4 ? above : box.bottom + 8);
}

/** Beside a point of the window. @param {number} x @param {number} y @param {Node} name @param {string[]} lines */
export function tellAt(x, y, name, lines) {
  write(name, lines);
  told = null;
  place(x, y);
}

/** When the page scrolls: the tip of what has the focus goes along, for it may be the focus that scrolled; any other goes. */
export function scrolled() {
  if (!tip.hidden && told?.contains(document.activeElement)) standAt(told);
  else hush();
}

export const hush = () => {
  tip.hidden = true;
};
