// One generated token at a time: its scores on the text. Picked by the radio buttons (whose arrow keys are the
// browser's own), by a click on the token in the text, or on its row of the matrix. It knows the documented JSON
// (docs/schema.md) and nothing else; text enters the page through textContent alone.

import { stepOf } from "../colour.js";
import { label, number, short } from "../format.js";
import { byId, own, say } from "../page.js";
import { adopted, colour, elementOf, unitAt } from "../passage.js";
import { rankLines } from "../ranked.js";
import { read } from "./reader.js";
import { showTicks } from "../scale.js";
import { ends } from "../scores.js";
import { stated } from "../state.js";
import { hush, tellOf } from "../tip.js";
import { apart } from "../units.js";

/**
 * @typedef {{text: string, start: number, end: number, special: boolean}} Token
 * @typedef {{text: string, start: number, end: number}} Word
 * @typedef {{first: {signed?: boolean, text: string, tokens: Token[], words: Word[]},
 *   targets: {text: string, index: number | null, value: number}[], word_scores: number[][]}} Result
 */

const TOP = 12;
/** @type {Result} */
const result = JSON.parse(byId("data").textContent ?? "");
const { words, tokens } = result.first;
const signed = Boolean(result.first.signed);
const text = byId("text");
const passage = adopted(text, apart(result.first.text, words.map(({ start, end }) => [start, end])));
const matrix = document.querySelector(".matrix");
const cells = /** @type {SVGRectElement[]} */ ([...(matrix?.querySelectorAll("rect:not(.mark)") ?? [])]);

const hub = stated(
  { target: 0, range: "own", find: "", theme: "" },
  { range: ["own", "one"], theme: ["", "light", "dark"] },
  (state) => ({ ...state, target: Math.max(0, Math.min(Math.floor(state.target), result.targets.length - 1)) }),
);
const { state, update } = hub;

/** Where a token of the generation stands, if it does. @param {number} target */
const placeOf = (target) => tokens[result.targets[target].index ?? -1];

/** The words that a token was scored on: those that begin before it. @param {number} target */
function readBy(target) {
  const end = placeOf(target)?.start ?? Infinity;
  return [...words.keys()].filter((i) => words[i].start < end);
}

/** The numbers at the ends of a token's colours. @param {number} target */
function range(target) {
  const rows = state.range === "one" ? [...result.targets.keys()] : [target];
  return ends(rows.flatMap((row) => readBy(row).map((i) => result.word_scores[row][i])), signed);
}

/** @param {number} score @param {[number, number]} ends */
const stepFor = (score, [low, high]) => stepOf(low === high ? 0.5 : (score - low) / (high - low));

/** @param {typeof state | null} before */
function show(before) {
  const target = state.target;
  const limits = range(target);
  const scores = result.word_scores[target];
  const about = result.targets[target];
  const place = placeOf(target);
  const seen = new Set(readBy(target));
  colour(passage, ([word]) => stepFor(scores[word], limits));
  passage.spans.forEach((span, i) => {
    span.classList.toggle("later", !seen.has(i));
    span.classList.toggle("q", place !== undefined && words[i].start < place.end && place.start < words[i].end);
  });
  const [low, high] = limits;
  showTicks([low, low / 2 + high / 2, high].map((value, i) => ({ place: i / 2, text: number(value) })));
  byId("about").textContent = label(about.text);
  byId("value").textContent = `value ${number(about.value)}`;
  matrix?.querySelector(".mark")?.setAttribute("y", String(target));
  if (!before || before.range !== state.range) paint();

  const size = (/** @type {number} */ i) => (signed ? Math.abs(scores[i]) : scores[i]);
  const best = [...seen].filter((i) => words[i].text.trim()).sort((a, b) => size(b) - size(a)).slice(0, TOP);
  byId("ranking-title").replaceChildren(own(short(label(about.text), 40)), " relied on");
  const lines = best.map((i) => ({
    unit: i,
    label: short(label(words[i].text), 40),
    share: signed ? size(i) / (high || 1) : (scores[i] - low) / (high - low || 1),
    step: stepFor(scores[i], limits),
    last: number(scores[i]),
  }));
  rankLines(lines, (word) => elementOf(passage, word)?.scrollIntoView({ block: "nearest" }));
  hush();
  if (before && before.target !== target) {
    say(`${label(about.text)} relied most on ${lines.slice(0, 3).map((line) => `${line.label} ${line.last}`).join(", ")}`);
  }
}

/** The matrix, each row on its range. */
function paint() {
  const limits = result.targets.map((_, i) => range(i));
  for (const cell of cells) cell.setAttribute("class", `s${stepFor(Number(cell.dataset.v), limits[Number(cell.getAttribute("y"))])}`);
}

text.addEventListener("pointerover", (event) => {
  const word = unitAt(passage, event.target);
  if (word < 0) hush();
  else tellOf(passage.spans[word], label(words[word].text), [`score ${number(result.word_scores[state.target][word])}`]);
});
text.addEventListener("pointerleave", hush);
text.addEventListener("click", (event) => {
  const word = words[unitAt(passage, event.target)];
  if (!word) return;
  const target = [...result.targets.keys()].findIndex((i) => {
    const token = placeOf(i);
    return token !== undefined && token.start < word.end && word.start < token.end;
  });
  if (target >= 0) update({ target });
});
matrix?.addEventListener("click", (event) => {
  const box = matrix.getBoundingClientRect();
  const row = Math.floor(((/** @type {MouseEvent} */ (event).clientY - box.top) / box.height) * result.targets.length);
  update({ target: Math.max(0, Math.min(row, result.targets.length - 1)) });
});

/** @param {number} by */
const further = (by) => update({ target: (state.target + by + result.targets.length) % result.targets.length });

read(hub, {
  passages: () => [passage],
  name: () => "word",
  table: () => [
    ["target", "text", "value", ...words.map((word) => word.text)],
    ...result.targets.map((target, i) => [i, target.text, target.value, ...result.word_scores[i]]),
  ],
  says: () => byId("measure").textContent ?? "",
  show,
  keys: { ",": () => further(-1), ".": () => further(1), ArrowLeft: () => further(-1), ArrowRight: () => further(1) },
});
