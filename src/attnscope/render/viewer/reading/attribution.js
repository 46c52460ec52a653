// The scores of one result, by word or by token: values on hover and focus, a walk with the arrow keys, pinning. It
// knows the documented JSON (docs/schema.md) and nothing else; text enters the page through textContent alone.

import { stepOf } from "../colour.js";
import { label, number, short } from "../format.js";
import { byId, say } from "../page.js";
import { adopted, build, passage, placeAt } from "../passage.js";
import { rankLines } from "../ranked.js";
import { read } from "./reader.js";
import { showTicks } from "../scale.js";
import { ends, minMax, ranks, symmetric } from "../scores.js";
import { stated } from "../state.js";
import { hush, tellOf } from "../tip.js";
import { apart, together } from "../units.js";
import { stopAt, walk } from "../walk.js";

/**
 * @typedef {{text: string, start: number, end: number, special: boolean, score: number}} Token
 * @typedef {{text: string, start: number, end: number, score: number, scaled: number}} Word
 * @typedef {{family: string, signed?: boolean, text: string, tokens: Token[], words: Word[],
 *   measured: {query_tokens: number[] | null}}} Result
 * @typedef {{passage: import("../passage.js").Passage, nodes: Node[], boxes: number[], spans: HTMLElement[],
 *   scores: number[], scaled: number[], ranks: number[], notes: string[]}} View
 * boxes: those that are drawn, and then one entry a box: its element, score, place on the scale, rank, what to add
 */

const TOP = 12;
/** @type {Result} */
const result = JSON.parse(byId("data").textContent ?? "");
const signed = Boolean(result.signed);
const text = byId("text");
const hub = stated({ unit: "word", pin: -1, find: "", theme: "" }, { unit: ["word", "token"], theme: ["", "light", "dark"] });
const { state, update } = hub;

/** @param {import("../passage.js").Passage} passage @param {number[]} boxes @param {number[]} scores
 * @param {number[]} scaled @param {string[]} notes @returns {View} */
const view = (passage, boxes, scores, scaled, notes) => ({
  passage,
  nodes: [...passage.root.childNodes],
  boxes,
  spans: boxes.map((box) => passage.spans[box]),
  scores,
  scaled,
  ranks: ranks(scores, signed),
  notes,
});

/** The words, in the elements that Python wrote. */
function words() {
  const { words } = result;
  const axis = apart(result.text, words.map(({ start, end }) => [start, end]));
  return view(adopted(text, axis), words.map((_, i) => i), words.map(({ score }) => score), words.map(({ scaled }) => scaled), words.map(() => ""));
}

/** The tokens. Those that share a character (bytes of one emoji) share a box, which has the highest of their scores;
 * special tokens are left out, as in the words. */
function tokens() {
  const axis = together(result.text, result.tokens);
  const made = passage(text, axis, false);
  build(made, Infinity);
  const shown = axis.boxes.map(({ units }) => units.filter((unit) => !result.tokens[unit].special));
  const boxes = [...shown.keys()].filter((box) => shown[box].length);
  const scores = boxes.map((box) =>
    shown[box].map((unit) => result.tokens[unit].score).reduce((a, b) => ((signed ? Math.abs(b) > Math.abs(a) : b > a) ? b : a)),
  );
  const notes = boxes.map((box) => (shown[box].length > 1 ? `the ${signed ? "strongest" : "highest"} of ${shown[box].length} tokens in one character` : ""));
  const scaled = (signed ? symmetric : minMax)(scores);
  const asked = new Set(result.measured.query_tokens ?? []);
  boxes.forEach((box, i) => {
    made.spans[box].classList.add(`s${stepOf(scaled[i])}`);
    made.spans[box].classList.toggle("q", shown[box].some((unit) => asked.has(unit)));
  });
  return view(made, boxes, scores, scaled, notes);
}

/** @type {Record<string, View>} */
const views = { word: words() };
let now = views.word;
/** @type {HTMLElement | undefined} */
let stop;

/** @param {number} place @returns {string[]} */
function values(place) {
  const { scores, scaled, ranks, notes } = now;
  const lines = [`score ${number(scores[place])}`, `scaled ${scaled[place].toFixed(3)}`, `rank ${ranks[place]} of ${ranks.length}`];
  return notes[place] ? [...lines, notes[place]] : lines;
}

/** @param {number} place */
const nameOf = (place) => label(now.spans[place].textContent ?? "");

/** @param {number} place */
const tell = (place) => tellOf(now.spans[place], nameOf(place), values(place));

/** What is pinned is told again. */
function rest() {
  if (now.spans[state.pin]) tell(state.pin);
  else hush();
}

/** @param {number} place */
const pin = (place) => update({ pin: place === state.pin ? -1 : place });

/** @param {number} place @param {boolean} focus */
function stand(place, focus) {
  const span = now.spans[place];
  if (!span) return;
  stopAt(stop, span, focus);
  stop = span;
}

/** @param {typeof state | null} before */
function show(before) {
  const next = (views[state.unit] ??= tokens());
  if (next !== now) {
    now = next;
    text.replaceChildren(...now.nodes);
  }
  if (!before || before.unit !== state.unit) {
    stand(0, false);
    showLegend();
    showRanking();
  }
  for (const pinned of text.querySelectorAll(".pinned")) pinned.classList.remove("pinned");
  now.spans[state.pin]?.classList.add("pinned");
  if (!before || before.pin !== state.pin) rest();
}

function showLegend() {
  const [low, high] = ends(now.scores, signed);
  showTicks([low, low / 2 + high / 2, high].map((value, i) => ({ place: i / 2, text: number(value) })));
  byId("per").textContent = state.unit;
  byId("scale").hidden = state.unit !== "word";
}

function showRanking() {
  const drawn = [...now.spans.keys()].filter((place) => now.spans[place].textContent?.trim());
  const best = drawn.sort((a, b) => now.ranks[a] - now.ranks[b] || a - b).slice(0, TOP);
  const lines = best.map((place) => ({
    unit: place,
    label: short(nameOf(place), 40),
    share: signed ? Math.abs(2 * now.scaled[place] - 1) : now.scaled[place],
    step: stepOf(now.scaled[place]),
    last: number(now.scores[place]),
  }));
  rankLines(lines, (place) => {
    update({ pin: place });
    now.spans[place].scrollIntoView({ block: "nearest" });
  });
}

/** @param {EventTarget | null} target */
function placeOf(target) {
  const box = placeAt(now.passage, target);
  return box === undefined ? -1 : now.boxes.indexOf(box);
}

text.addEventListener("pointerover", (event) => {
  const place = placeOf(event.target);
  if (place >= 0) tell(place);
  else rest();
});
text.addEventListener("pointerleave", rest);
text.addEventListener("focusin", (event) => {
  const place = placeOf(event.target);
  if (place < 0) return;
  tell(place);
  say([nameOf(place), ...values(place)].join(", "));
});
text.addEventListener("focusout", rest);
text.addEventListener("click", (event) => {
  const place = placeOf(event.target);
  if (place < 0) return;
  stand(place, false);
  pin(place);
});
text.addEventListener("keydown", (event) => {
  const place = placeOf(event.target);
  if (place < 0) return;
  const to = walk(now.spans, place, event);
  if (to !== null) stand(to, true);
  else if (event.key === "Enter" || event.key === " ") pin(place);
  else return;
  event.preventDefault();
});

read(hub, {
  passages: () => [now.passage],
  name: () => state.unit,
  table: () => [
    ["place", "text", "score", "scaled", "rank"],
    ...now.spans.map((span, place) => [place, span.textContent ?? "", now.scores[place], now.scaled[place], now.ranks[place]]),
  ],
  says: () => byId("measure").textContent ?? "",
  show,
  also: (key) => (key === "unit" ? { pin: -1 } : {}),
  keys: { Escape: () => update({ pin: -1 }), w: () => update({ unit: state.unit === "word" ? "token" : "word", pin: -1 }) },
});
