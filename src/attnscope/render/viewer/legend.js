// What the colours stand for: a single object that the page and every saved file show.

import { element, setPhrase, setText } from "./dom.js";

/**
 * @typedef {{colours: string[], ticks: {place: number, text: string}[], unit: import("./dom.js").Phrase}} Legend
 * colours: from the lowest value to the highest. ticks: numbers and their places from 0 to 1. unit: what they measure.
 *
 * @typedef {{title: string, facts: string[], notes: string[]}} Caption
 * What a picture says about itself: facts on one line, notes as separate sentences.
 */

/** @param {[number, number]} ends @param {(value: number) => string} written
 * @returns {Legend["ticks"]} both ends and the middle */
export const threeTicks = ([low, high], written) =>
  [low, low / 2 + high / 2, high].map((value, i) => ({ place: i / 2, text: written(value) }));

/** Shows the numbers below the colours, and what they measure.
 * @param {import("./dom.js").Dom} dom @param {Legend} legend */
export function showLegend(dom, { ticks, unit }) {
  const holder = dom.part("ticks");
  while (holder.children.length > ticks.length) holder.lastChild?.remove();
  ticks.forEach(({ place, text }, i) => {
    const tick = /** @type {HTMLElement} */ (holder.children[i] ?? holder.appendChild(element("span")));
    setText(tick, text);
    tick.style.insetInlineStart = `${100 * place}%`;
  });
  if (unit.length === 1) setText(dom.part("unit"), unit[0]);
  else setPhrase(dom.part("unit"), unit);
}

/** The facts on one line. @param {Caption} caption */
export const captionLine = ({ facts }) => facts.filter(Boolean).join(" · ");
