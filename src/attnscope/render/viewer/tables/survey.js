// Adds to a survey's page, which can be read without it: the texts in which a word matters most, each drawn.

import { Dom } from "../dom.js";
import { listenButtons } from "./tables.js";
import { later, t } from "../speech.js";

/** Groups of texts that are not labels. @type {Record<string, string>} */
const GROUPS = { "all texts": later("all texts"), "where it is wrong": later("where it is wrong") };

/** @typedef {{ text: string, prediction: string | null, gold: string | null, probability: number | null,
 *   words: Record<string, [number, number, number][]> }} Example */
/** @typedef {{ method: string, group: string, word: string, mean: number, low: number, high: number, texts: number,
 *   count: number, examples: number[] }} WordRow */

const STEPS = 64;

/** The class of the colour of each score: of scores with both signs on the diverging map, else from least to most.
 * @param {number[]} scores */
export function colourClasses(scores) {
  const most = Math.max(...scores.map(Math.abs), 0);
  const signed = scores.some((score) => score < 0);
  const [low, high] = signed ? [-most, most] : [Math.min(...scores, most), most];
  return scores.map((score) => {
    const scaled = high > low ? (score - low) / (high - low) : 0.5;
    return `${signed ? "d" : "s"}${Math.min(STEPS - 1, Math.floor(scaled * STEPS))}`;
  });
}

/** The text cut at its words: pieces, of which words have a number. Offsets count characters, not UTF-16 units.
 * @param {string} text @param {[number, number, number][]} words
 * @returns {{ text: string, word: number | null }[]} */
export function piecesOf(text, words) {
  const characters = [...text];
  const pieces = [];
  let place = 0;
  words.forEach(([start, end], word) => {
    if (start > place) pieces.push({ text: characters.slice(place, start).join(""), word: null });
    pieces.push({ text: characters.slice(Math.max(start, place), end).join(""), word });
    place = Math.max(place, end);
  });
  if (place < characters.length) pieces.push({ text: characters.slice(place).join(""), word: null });
  return pieces;
}

/** @param {string} name @param {string} text @param {string} [className] */
function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** @param {HTMLElement} root @param {import("../source.js").ResultSource} source */
export function start(root, source) {
  const dom = new Dom(root);
  /** @type {{ words: WordRow[], examples: Record<string, Example> }} */
  const data = JSON.parse(source.result());
  const panel = dom.part("texts");

  /** @param {Example} example @param {string} method @param {string} word */
  function drawn(example, method, word) {
    const words = example.words[method] ?? [];
    const classes = colourClasses(words.map(([, , score]) => score));
    const said = [
      example.prediction === null ? "" : t("predicted {label}", { label: example.prediction.trim() }),
      example.probability === null ? "" : example.probability.toFixed(2),
      example.gold === null ? "" : t("right: {label}", { label: example.gold.trim() }),
    ];
    const text = element("div", "", "drawn");
    text.dir = "auto";
    for (const piece of piecesOf(example.text, words)) {
      if (piece.word === null) {
        text.append(piece.text);
        continue;
      }
      const here = piece.text.normalize("NFC").toLowerCase() === word;
      const span = element("span", piece.text, `w ${classes[piece.word]}${here ? " here" : ""}`);
      span.title = words[piece.word][2].toPrecision(3);
      text.append(span);
    }
    return [element("p", said.filter(Boolean).join(" · ")), text];
  }

  root.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-word]") : null;
    if (!(button instanceof HTMLElement)) return;
    const { method, group, word } = button.dataset;
    const row = data.words.find((one) => one.method === method && one.group === group && one.word === word);
    if (!row) return;
    const texts = row.examples.map((number) => data.examples[number]).filter(Boolean);
    panel.replaceChildren(
      element("h2", row.word),
      element(
        "p",
        t("{group}, {method}: in {texts} texts, {count} times", {
          group: t(GROUPS[row.group] ?? row.group),
          method: row.method,
          texts: row.texts,
          count: row.count,
        }),
      ),
      ...texts.flatMap((example) => drawn(example, row.method, row.word)),
    );
    panel.hidden = false;
    panel.scrollIntoView({ block: "nearest" });
  });
  listenButtons(dom, source, "attnscope-survey", () => [
    ["method", "group", "word", "mean", "low", "high", "texts", "count"],
    ...data.words.map((row) => [row.method, row.group, row.word, row.mean, row.low, row.high, row.texts, row.count]),
  ]);
}
