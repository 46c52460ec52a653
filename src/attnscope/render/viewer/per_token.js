// One generated token at a time: its scores on the text. Picked by the radio buttons (whose arrow keys are the
// browser's own), by a click on the token in the text, or on its row of the matrix. It knows the documented JSON
// (docs/schema.md) and nothing else; text enters the page through textContent alone.

import { label, number } from "./format.js";
import { byId, ready, showTip } from "./shared.js";

/**
 * @typedef {{text: string, start: number, end: number, special: boolean}} Token
 * @typedef {{text: string, start: number, end: number}} Word
 * @typedef {{first: {signed?: boolean, tokens: Token[], words: Word[]},
 *   targets: {text: string, index: number | null, value: number}[], word_scores: number[][]}} Result
 */

const STEPS = 64;

/** @type {Result} */
const result = JSON.parse(byId("data").textContent ?? "");
const signed = Boolean(result.first.signed);
const text = byId("text");
const tip = byId("tip");
const spans = /** @type {HTMLElement[]} */ ([...text.querySelectorAll("span")]);
const radios = /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll("#targets input")]);
const matrix = document.querySelector(".matrix");
const mark = matrix?.querySelector(".mark");
const indexOf = new Map(spans.map((span, i) => [span, i]));
let chosen = 0;
let shared = false;

/** The words that a token was scored on: those that begin before it. @param {number} target */
function readBy(target) {
  const index = result.targets[target].index;
  const end = index === null ? Infinity : result.first.tokens[index].start;
  return result.first.words.map((word) => word.start < end);
}

/** The range of the colours. @param {number} target @returns {[number, number]} */
function range(target) {
  const rows = shared ? result.targets.map((_, i) => i) : [target];
  let [low, high] = [Infinity, -Infinity];
  for (const row of rows) {
    const read = readBy(row);
    result.word_scores[row].forEach((score, i) => {
      if (!read[i]) return;
      low = Math.min(low, score);
      high = Math.max(high, score);
    });
  }
  if (low > high) return [0, 0];
  const largest = Math.max(Math.abs(low), Math.abs(high));
  return signed ? [-largest, largest] : [low, high];
}

/** @param {number} score @param {[number, number]} limits */
function step(score, [low, high]) {
  const scaled = low === high ? 0.5 : (score - low) / (high - low);
  return Math.max(0, Math.min(Math.floor(scaled * STEPS), STEPS - 1));
}

/** @param {Element} element @param {string} name */
function colour(element, name) {
  for (const old of [...element.classList]) if (/^s\d+$/.test(old)) element.classList.remove(old);
  element.classList.add(name);
}

/** @param {number} target */
function show(target) {
  chosen = target;
  const limits = range(target);
  const read = readBy(target);
  const scores = result.word_scores[target];
  const about = result.targets[target];
  const place = about.index === null ? null : result.first.tokens[about.index];
  spans.forEach((span, i) => {
    const word = result.first.words[i];
    colour(span, `s${step(scores[i], limits)}`);
    span.classList.toggle("later", !read[i]);
    span.classList.toggle("q", place !== null && word.start < place.end && place.start < word.end);
  });
  byId("low").textContent = number(limits[0]);
  byId("high").textContent = number(limits[1]);
  byId("about").textContent = label(about.text);
  byId("value").textContent = `value ${number(about.value)}`;
  mark?.setAttribute("y", String(target));
  radios[target].checked = true;
  const best = [...scores.keys()].filter((i) => read[i]).sort((a, b) => size(scores[b]) - size(scores[a]));
  const said = best.slice(0, 3).map((i) => `${label(result.first.words[i].text)} ${number(scores[i])}`);
  byId("live").textContent = `${label(about.text)} relied most on ${said.join(", ")}`;
  tip.hidden = true;
}

/** @param {number} score */
const size = (score) => (signed ? Math.abs(score) : score);

function paint() {
  const limits = result.targets.map((_, i) => range(i));
  for (const rect of matrix?.querySelectorAll("rect:not(.mark)") ?? []) {
    const score = Number(rect.getAttribute("data-v"));
    colour(rect, `s${step(score, limits[Number(rect.getAttribute("y"))])}`);
  }
}

/** @param {boolean} one */
function scale(one) {
  shared = one;
  byId("own").setAttribute("aria-pressed", String(!one));
  byId("shared").setAttribute("aria-pressed", String(one));
  paint();
  show(chosen);
}

/** @param {EventTarget | null} target */
const wordAt = (target) => (target instanceof HTMLElement ? indexOf.get(target) : undefined);

/** @param {HTMLElement} span @param {number} word */
function openTip(span, word) {
  const name = document.createElement("b");
  name.textContent = label(span.textContent ?? "");
  const score = document.createElement("div");
  score.textContent = `score ${number(result.word_scores[chosen][word])}`;
  tip.replaceChildren(name, score);
  showTip(tip, span);
}

text.addEventListener("pointerover", (event) => {
  const word = wordAt(event.target);
  if (word === undefined) tip.hidden = true;
  else openTip(spans[word], word);
});
text.addEventListener("pointerleave", () => (tip.hidden = true));
text.addEventListener("click", (event) => {
  const word = wordAt(event.target);
  if (word === undefined) return;
  const { start, end } = result.first.words[word];
  const target = result.targets.findIndex(({ index }) => {
    const token = index === null ? null : result.first.tokens[index];
    return token !== null && token.start < end && start < token.end;
  });
  if (target >= 0) show(target);
});
matrix?.addEventListener("click", (event) => {
  const box = matrix.getBoundingClientRect();
  const row = Math.floor(((/** @type {MouseEvent} */ (event).clientY - box.top) / box.height) * radios.length);
  show(Math.max(0, Math.min(row, radios.length - 1)));
});
radios.forEach((radio, i) => radio.addEventListener("change", () => show(i)));
addEventListener("scroll", () => (tip.hidden = true), { passive: true });

byId("own").addEventListener("click", () => scale(false));
byId("shared").addEventListener("click", () => scale(true));

show(0);
byId("live").textContent = "";
ready("attnscope.json");
