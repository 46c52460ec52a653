// The same word in every method: outlined in all maps at once, its scores side by side; a walk with the arrow keys.
// It knows the documented JSON (docs/schema.md) and nothing else; text enters the page through textContent alone.

import { number } from "./format.js";
import { byId, ready, showTip } from "./shared.js";

/**
 * @typedef {{names: string[], results: {words: {text: string, score: number}[]}[]}} Result
 */

/** @type {Result} */
const result = JSON.parse(byId("data").textContent ?? "");
const tip = byId("tip");
const maps = [...document.querySelectorAll(".text")].map(
  (map) => /** @type {HTMLElement[]} */ ([...map.querySelectorAll("span")]),
);
const wordOf = new Map(maps.flatMap((map) => map.map((span, i) => [span, i])));

function close() {
  tip.hidden = true;
  for (const span of document.querySelectorAll(".here")) span.classList.remove("here");
}

/** @param {HTMLElement} span @param {number} word @returns {string[]} */
function open(span, word) {
  close();
  for (const map of maps) map[word].classList.add("here");
  const name = document.createElement("b");
  name.textContent = (span.textContent ?? "").trim() || "↵";
  const lines = result.names.map((method, i) => `${method} ${number(result.results[i].words[word].score)}`);
  tip.replaceChildren(
    name,
    ...lines.map((line) => {
      const made = document.createElement("div");
      made.textContent = line;
      return made;
    }),
  );
  showTip(tip, span);
  return [name.textContent, ...lines];
}

for (const [number, map] of maps.entries()) {
  const text = map[0]?.parentElement;
  if (!text) continue;
  map[0].tabIndex = 0;
  text.addEventListener("pointerover", (event) => {
    const span = /** @type {HTMLElement} */ (event.target);
    const word = wordOf.get(span);
    if (word === undefined) close();
    else open(span, word);
  });
  text.addEventListener("pointerleave", close);
  text.addEventListener("focusin", (event) => {
    const span = /** @type {HTMLElement} */ (event.target);
    byId("live").textContent = open(span, wordOf.get(span) ?? 0).join(", ");
  });
  text.addEventListener("focusout", close);
  text.addEventListener("keydown", (event) => {
    const word = wordOf.get(/** @type {HTMLElement} */ (event.target));
    if (word === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const forward = getComputedStyle(text).direction === "rtl" ? -1 : 1;
    /** @type {Record<string, [number, number]>} */
    const steps = {
      ArrowRight: [number, word + forward],
      ArrowLeft: [number, word - forward],
      ArrowDown: [number + 1, word],
      ArrowUp: [number - 1, word],
      Home: [number, 0],
      End: [number, map.length - 1],
    };
    const to = steps[event.key];
    if (!to) return;
    event.preventDefault();
    const next = maps[to[0]]?.[to[1]];
    if (!next) return;
    const from = /** @type {HTMLElement} */ (event.target);
    // One tab stop a text.
    for (const other of maps[to[0]]) other.removeAttribute("tabindex");
    if (to[0] === number) from.removeAttribute("tabindex");
    next.tabIndex = 0;
    next.focus();
  });
}
addEventListener("scroll", () => (tip.hidden = true), { passive: true });

ready("attnscope.json");
