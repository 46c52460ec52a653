// The same word in every method: outlined in all maps at once, its scores side by side; a walk with the arrow keys.
// It knows the documented JSON (docs/schema.md) and nothing else; text enters the page through textContent alone.

import { label, number } from "../format.js";
import { byId, say } from "../page.js";
import { adopted, mark, unitAt } from "../passage.js";
import { read } from "./reader.js";
import { stated } from "../state.js";
import { hush, tellOf } from "../tip.js";
import { apart } from "../units.js";
import { stopAt, walk } from "../walk.js";

/**
 * @typedef {{names: string[], results: {text: string, words: {text: string, start: number, end: number,
 *   score: number}[]}[]}} Result
 */

/** @type {Result} */
const { names, results } = JSON.parse(byId("data").textContent ?? "");
const { words } = results[0];
const axis = apart(results[0].text, words.map(({ start, end }) => [start, end]));
const maps = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".passage")]).map((root) => adopted(root, axis));
const hub = stated({ find: "", theme: "" }, { theme: ["", "light", "dark"] });

/** @param {number} word */
const lines = (word) => names.map((method, i) => `${method} ${number(results[i].words[word].score)}`);

/** @param {number} word -1 for none */
function outline(word) {
  for (const map of maps) mark(map, word < 0 ? [] : [word], "here");
  if (word < 0) hush();
}

/** @param {number} map @param {number} word */
function tell(map, word) {
  outline(word);
  tellOf(maps[map].spans[word], label(words[word].text), lines(word));
}

/** Of each text the one tab stop. */
const stops = maps.map(({ spans }) => spans[0]);

maps.forEach(({ root }, place) => {
  if (stops[place]) stops[place].tabIndex = 0;
  const at = (/** @type {Event} */ event) => unitAt(maps[place], event.target);
  root.addEventListener("pointerover", (event) => {
    const word = at(event);
    if (word < 0) outline(-1);
    else tell(place, word);
  });
  root.addEventListener("pointerleave", () => outline(-1));
  root.addEventListener("focusin", (event) => {
    const word = at(event);
    if (word < 0) return;
    tell(place, word);
    say([label(words[word].text), ...lines(word)].join(", "));
  });
  root.addEventListener("focusout", () => outline(-1));
  root.addEventListener("keydown", (event) => {
    const word = at(event);
    if (word < 0) return;
    const across = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const to = across ? word : walk(maps[place].spans, word, event);
    const map = place + across;
    if (to === null || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (!maps[map]) return;
    stopAt(stops[map], maps[map].spans[to], true);
    stops[map] = maps[map].spans[to];
  });
});

read(hub, {
  passages: () => maps,
  name: () => "word",
  table: () => [["place", "text", ...names], ...words.map((word, i) => [i, word.text, ...results.map((result) => result.words[i].score)])],
  says: () => byId("measure").textContent ?? "",
  show: () => undefined,
});
