// The tooltip beside the element or point under the pointer: a name, and lines below it.

import { element } from "./dom.js";

/** @typedef {ReturnType<typeof createTooltip>} Tooltip */

/** @param {import("./dom.js").Dom} dom */
export function createTooltip(dom) {
  const tip = dom.part("tip");
  /** The element that the tooltip belongs to; null if it is at a point. @type {Element | null} */
  let anchor = null;

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

  /** At a point of the window, moved so that it fits. @param {number} x @param {number} y */
  function place(x, y) {
    const { clientWidth } = document.documentElement;
    const [left, top] = [
      Math.max(8, Math.min(x, clientWidth - tip.offsetWidth - 8)),
      Math.min(y, innerHeight - tip.offsetHeight - 8),
    ];
    tip.style.transform = `translate(${left}px, ${top}px)`;
  }

  /** @param {Element} target */
  function placeAbove(target) {
    const box = target.getClientRects()[0] ?? target.getBoundingClientRect();
    const above = box.top - tip.offsetHeight - 8;
    place(box.left, above > 4 ? above : box.bottom + 8);
  }

  const hide = () => {
    tip.hidden = true;
  };

  return {
    hide,
    /** Above an element, or below it where there is no room. @param {Element} target @param {string | null} name
     * @param {string[]} lines */
    showAbove(target, name, lines) {
      write(name, lines);
      anchor = target;
      placeAbove(target);
    },
    /** Beside a point of the window. @param {number} x @param {number} y @param {Node} name @param {string[]} lines */
    showAt(x, y, name, lines) {
      write(name, lines);
      anchor = null;
      place(x, y);
    },
    /** When the page scrolls, the tooltip of the focused element moves along, as focusing it may have scrolled the
     * page; any other is hidden. */
    followScroll() {
      if (!tip.hidden && anchor?.contains(document.activeElement)) placeAbove(anchor);
      else hide();
    },
  };
}
