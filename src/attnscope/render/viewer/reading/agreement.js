// The same word in every method: outlined in all maps at once, its scores side by side; arrow keys from word to word.
// It knows the documented JSON (docs/schema.md) and nothing else; text enters the page only through textContent.

import { arrowKeyTarget, moveTabStop } from "../arrow_keys.js";
import { Dom } from "../dom.js";
import { label, number } from "../format.js";
import { runScoresPage, stepColours } from "./scores_page.js";
import { adoptText, markUnits, unitAt } from "../text_view.js";
import { createTooltip } from "../tooltip.js";
import { apart } from "../units.js";
import { createStore } from "../url_state.js";

/**
 * @typedef {{names: string[], results: {text: string, words: {text: string, start: number, end: number,
 *   score: number}[]}[]}} Result
 */

/** @param {HTMLElement} root @param {import("../source.js").ResultSource} source
 * @param {import("../url_state.js").Address | null} address */
export function start(root, source, address = null) {
  const dom = new Dom(root);
  const tooltip = createTooltip(dom);
  /** @type {Result} */
  const { names, results } = JSON.parse(source.result());
  const { words } = results[0];
  const axis = apart(
    results[0].text,
    words.map(({ start, end }) => [start, end]),
  );
  const texts = dom.all(".passage").map((holder) => adoptText(holder, axis));
  const store = createStore({ find: "", theme: "" }, { theme: ["", "light", "dark"] }, address);

  /** @param {number} word */
  const scoresOf = (word) => names.map((method, i) => `${method} ${number(results[i].words[word].score)}`);

  /** @param {number} word -1 for none */
  function outline(word) {
    for (const text of texts) markUnits(text, word < 0 ? [] : [word], "here");
    if (word < 0) tooltip.hide();
  }

  /** @param {number} map @param {number} word */
  function showScores(map, word) {
    outline(word);
    tooltip.showAbove(texts[map].spans[word], label(words[word].text), scoresOf(word));
  }

  /** The tab stop of each text. */
  const tabStops = texts.map(({ spans }) => spans[0]);

  texts.forEach((text, map) => {
    if (tabStops[map]) tabStops[map].tabIndex = 0;
    const wordAt = (/** @type {Event} */ event) => unitAt(text, event.target);
    text.root.addEventListener("pointerover", (event) => {
      const word = wordAt(event);
      if (word < 0) outline(-1);
      else showScores(map, word);
    });
    text.root.addEventListener("pointerleave", () => outline(-1));
    text.root.addEventListener("focusin", (event) => {
      const word = wordAt(event);
      if (word < 0) return;
      showScores(map, word);
      dom.say([label(words[word].text), ...scoresOf(word)].join(", "));
    });
    text.root.addEventListener("focusout", () => outline(-1));
    text.root.addEventListener("keydown", (event) => {
      const word = wordAt(event);
      if (word < 0) return;
      const across = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
      const target = across ? word : arrowKeyTarget(text.spans, word, event);
      const other = map + across;
      if (target === null || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (!texts[other]) return;
      moveTabStop(tabStops[other], texts[other].spans[target], true);
      tabStops[other] = texts[other].spans[target];
    });
  });

  /** The legend of each colour map on the page, with the words that Python wrote below it.
   * @returns {import("../legend.js").Legend[]} */
  const legends = () =>
    dom.all(".legend .ramp").map((ramp) => ({
      colours: stepColours(dom, ramp.matches(".signed") ? "d" : "s"),
      ticks: [],
      unit: [ramp.nextElementSibling?.textContent ?? ""],
    }));

  runScoresPage(dom, source, tooltip, store, {
    texts: () => texts,
    name: () => "word",
    table: () => [
      ["place", "text", ...names],
      ...words.map((word, i) => [i, word.text, ...results.map((result) => result.words[i].score)]),
    ],
    legends,
    notes: () => [dom.part("unit").textContent ?? ""],
    pictured: () => dom.all(".tables table, .map h2, .map .passage"),
    show: () => undefined,
  });
}
