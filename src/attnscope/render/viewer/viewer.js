// Adds to a page that reads without it: values on hover and focus, a walk with the arrow keys, the tokens' own scores.
// It knows the documented JSON (docs/schema.md) and nothing else; text enters the page through textContent alone.

import { label, number } from "./format.js";
import { byId, ready, showTip } from "./shared.js";

/**
 * @typedef {{text: string, start: number, end: number, special: boolean, score: number}} Token
 * @typedef {{text: string, start: number, end: number, score: number, scaled: number}} Word
 * @typedef {{kind: string, signed?: boolean, text: string, tokens: Token[], words: Word[],
 *   parameters: {query_tokens?: number[]}}} Result
 * @typedef {{element: HTMLElement, text: string, score: number, scaled: number, rank: number, note: string}} Unit
 * @typedef {{name: string, units: Unit[], nodes: Node[]}} View
 */

const STEPS = 64;

/** @type {Result} */
const result = JSON.parse(byId("data").textContent ?? "");
const text = byId("text");
const tip = byId("tip");
const live = byId("live");

/** The colour step of a scaled score: ColourMap.step in Python. @param {number} scaled */
const stepOf = (scaled) => Math.min(Math.floor(scaled * STEPS), STEPS - 1);

/** min–max, a constant list at one half. @param {number[]} scores */
function minMax(scores) {
  const low = scores.reduce((a, b) => Math.min(a, b), Infinity);
  const high = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  // Halved, the spread of two huge scores of opposite sign fits.
  const half = high - low === Infinity ? 2 : 1;
  return scores.map((score) => (low === high ? 0.5 : (score / half - low / half) / (high / half - low / half)));
}

/** 0 at one half, the largest magnitude at 0 or 1: `symmetric` in Python. @param {number[]} scores */
function symmetric(scores) {
  const largest = scores.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  return scores.map((score) => (largest === 0 ? 0.5 : 0.5 + score / largest / 2));
}

/** Rank 1 is the highest; equal scores share a rank. @param {number[]} scores */
function ranks(scores) {
  /** @type {Map<number, number>} */
  const first = new Map();
  [...scores].sort((a, b) => b - a).forEach((score, i) => first.has(score) || first.set(score, i + 1));
  return scores.map((score) => first.get(score) ?? 0);
}

/** @param {string} name @param {string} content @param {string} [classes] */
function element(name, content, classes = "") {
  const made = document.createElement(name);
  made.textContent = content;
  if (classes) made.className = classes;
  return made;
}

/** The words, on the spans that Python wrote: one per word, in order. @returns {View} */
function wordView() {
  const order = ranks(result.words.map((word) => (result.signed ? Math.abs(word.score) : word.score)));
  const spans = /** @type {NodeListOf<HTMLElement>} */ (text.querySelectorAll("span"));
  const units = result.words.map((word, i) => ({
    ...word,
    text: spans[i].textContent ?? "",
    element: spans[i],
    rank: order[i],
    note: "",
  }));
  return { name: "word", units, nodes: [...text.childNodes] };
}

/**
 * The tokens. Tokens that share a character (bytes of one emoji) are drawn as one box with the highest of their
 * scores; special tokens are left out, as in the words. Offsets count Unicode characters, so the text is cut as such.
 * @returns {View}
 */
function tokenView() {
  const characters = Array.from(result.text);
  const query = result.parameters.query_tokens;
  const asked = new Set(Array.isArray(query) ? query.map((i) => result.tokens[i]) : []);
  /** @type {{start: number, end: number, scores: number[], special: boolean, asked: boolean}[]} */
  const groups = [];
  for (const token of result.tokens.filter((t) => t.start < t.end).sort((a, b) => a.start - b.start)) {
    const last = groups.at(-1);
    if (last && token.start < last.end && last.special === token.special) {
      last.end = Math.max(last.end, token.end);
      last.scores.push(token.score);
      last.asked ||= asked.has(token);
    } else {
      const { start, end, special, score } = token;
      groups.push({ start, end, special, scores: [score], asked: asked.has(token) });
    }
  }
  const shown = groups.filter((group) => !group.special);
  const highest = shown.map((group) =>
    group.scores.reduce((a, b) => (result.signed ? Math.abs(b) > Math.abs(a) : b > a) ? b : a),
  );
  const scaled = (result.signed ? symmetric : minMax)(highest);
  const order = ranks(result.signed ? highest.map(Math.abs) : highest);
  /** @type {Node[]} */
  const nodes = [];
  /** @type {Unit[]} */
  const units = [];
  let position = 0;
  for (const group of groups) {
    if (group.start > position) nodes.push(document.createTextNode(characters.slice(position, group.start).join("")));
    if (!group.special) {
      const i = units.length;
      const content = characters.slice(Math.max(group.start, position), group.end).join("");
      const blank = content.trim() ? "" : content.includes("\n") ? " nl" : " ws";
      const box = element("span", content, `s${stepOf(scaled[i])}${blank}${group.asked ? " q" : ""}`);
      const note = group.scores.length > 1 ? `the ${result.signed ? "strongest" : "highest"} of ${group.scores.length} tokens in one character` : "";
      units.push({ element: box, text: content, score: highest[i], scaled: scaled[i], rank: order[i], note });
      nodes.push(box);
    }
    position = Math.max(position, group.end);
  }
  nodes.push(document.createTextNode(characters.slice(position).join("")));
  return { name: "token", units, nodes };
}

/** @type {View} */
let view = wordView();
/** @type {{word: View, token: View | null}} */
const views = { word: view, token: null };
/** @type {Map<HTMLElement, number>} */
let indexOf = new Map();
let current = 0;
/** @type {HTMLElement | null} */
let pinned = null;

/** @param {View} next */
function show(next) {
  if (!next.units.length) return;
  view = next;
  unpin();
  if (text.firstChild !== next.nodes[0]) text.replaceChildren(...next.nodes);
  indexOf = new Map(next.units.map((unit, i) => [unit.element, i]));
  move(0, false);
  const scores = next.units.map((unit) => unit.score);
  const high = scores.reduce((a, b) => Math.max(a, result.signed ? Math.abs(b) : b), -Infinity);
  byId("low").textContent = number(result.signed ? -high : scores.reduce((a, b) => Math.min(a, b), Infinity));
  byId("high").textContent = number(high);
  byId("per").textContent = next.name;
  byId("scale").hidden = next.name !== "word";
  byId("by-word").setAttribute("aria-pressed", String(next.name === "word"));
  byId("by-token").setAttribute("aria-pressed", String(next.name === "token"));
}

/** One tab stop for the whole text. @param {number} to @param {boolean} focus */
function move(to, focus) {
  if (!view.units.length) return;
  view.units[current]?.element.removeAttribute("tabindex");
  current = Math.max(0, Math.min(to, view.units.length - 1));
  const target = view.units[current].element;
  target.tabIndex = 0;
  if (focus) target.focus();
}

/** @param {Unit} unit @returns {string[]} */
function values(unit) {
  const lines = [`score ${number(unit.score)}`, `scaled ${unit.scaled.toFixed(3)}`];
  lines.push(`rank ${unit.rank} of ${view.units.length}`);
  return unit.note ? [...lines, unit.note] : lines;
}

/** @param {HTMLElement} target */
function openTip(target) {
  const unit = view.units[indexOf.get(target) ?? -1];
  if (!unit) return;
  tip.replaceChildren(element("b", label(unit.text)), ...values(unit).map((line) => element("div", line)));
  showTip(tip, target);
}

function closeTip() {
  if (pinned) openTip(pinned);
  else tip.hidden = true;
}

function unpin() {
  pinned?.classList.remove("pinned");
  pinned = null;
  tip.hidden = true;
}

/** @param {HTMLElement} target */
function pin(target) {
  const again = pinned === target;
  unpin();
  if (again) return;
  pinned = target;
  target.classList.add("pinned");
  openTip(target);
}

/** The unit nearest in x on the line above or below. @param {number} direction */
function onNextLine(direction) {
  const from = view.units[current].element.getBoundingClientRect();
  const middle = (from.left + from.right) / 2;
  let best = current;
  let nearest = Infinity;
  let line = NaN;
  for (let i = current + direction; i >= 0 && i < view.units.length; i += direction) {
    const box = view.units[i].element.getBoundingClientRect();
    if (Math.abs(box.top - from.top) < 4 || !box.width) continue;
    if (Number.isNaN(line)) line = box.top;
    if (Math.abs(box.top - line) > 4) break;
    const distance = Math.abs((box.left + box.right) / 2 - middle);
    if (distance < nearest) [best, nearest] = [i, distance];
  }
  return best;
}

/** Past units that draw nothing: words inside a special token. @param {number} direction */
function beside(direction) {
  let to = current + direction;
  while (view.units[to] && !view.units[to].text) to += direction;
  return view.units[to] ? to : current;
}

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
const unitAt = (target) => (target instanceof HTMLElement && indexOf.has(target) ? target : null);

text.addEventListener("pointerover", (event) => {
  const target = unitAt(event.target);
  if (target) openTip(target);
  else closeTip();
});
text.addEventListener("pointerleave", closeTip);
text.addEventListener("focusin", (event) => {
  const target = unitAt(event.target);
  if (!target) return;
  openTip(target);
  const unit = view.units[current];
  live.textContent = [label(unit.text), ...values(unit)].join(", ");
});
text.addEventListener("focusout", closeTip);
text.addEventListener("click", (event) => {
  const target = unitAt(event.target);
  if (!target) return;
  move(indexOf.get(target) ?? 0, false);
  pin(target);
});
text.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || !unitAt(event.target)) return;
  const forward = getComputedStyle(text).direction === "rtl" ? -1 : 1;
  /** @type {Record<string, () => number>} */
  const steps = {
    ArrowRight: () => beside(forward),
    ArrowLeft: () => beside(-forward),
    ArrowDown: () => onNextLine(1),
    ArrowUp: () => onNextLine(-1),
    Home: () => 0,
    End: () => view.units.length - 1,
  };
  if (event.key in steps) move(steps[event.key](), true);
  else if (event.key === "Enter" || event.key === " ") pin(view.units[current].element);
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") unpin();
});
addEventListener("scroll", closeTip, { passive: true });
addEventListener("resize", closeTip);

byId("by-word").addEventListener("click", () => show(views.word));
byId("by-token").addEventListener("click", () => show((views.token ??= tokenView())));

show(view);
ready("attnscope.json");
