// The tokens or words of a side as the units of an axis, and as boxes in its text.

/**
 * @typedef {{text: string, tokens: [number, number, number, string?][], words: [number, number, number[]][]}} Side
 * @typedef {{label: string, text: string, start: number, end: number, special: boolean, members: number[],
 *   continued: boolean}} Unit  members: places among the chosen tokens. start, end: in UTF-16 code units.
 * @typedef {{start: number, end: number, units: number[]}} Box  a stretch of text and the units that share it
 * @typedef {{text: string, units: Unit[], boxes: Box[], boxOf: Int32Array}} Axis
 */

import { label } from "./format.js";

/** Turns a place counted in characters, as in Python, into one in UTF-16 code units, as in JavaScript.
 * @param {string} text @returns {(place: number) => number} */
export function places(text) {
  if (!/[\ud800-\udfff]/.test(text)) return (place) => place;
  const starts = [0];
  for (const character of text) starts.push(starts[starts.length - 1] + character.length);
  return (place) => starts[Math.min(place, starts.length - 1)];
}

/**
 * The units of a side: its words, or its tokens; special tokens are units of their own among words too.
 * @param {Side} side @param {number[]} chosen the tokens that the maps have @param {boolean} byWord
 * @param {number | null} continued the character at which a continuation starts
 * @returns {Axis}
 */
export function axis(side, chosen, byWord, continued) {
  const { text } = side;
  const toUtf16 = places(text);
  const place = new Map(chosen.map((token, i) => [token, i]));
  /** @type {{start: number, end: number, special: boolean, name: string | undefined, members: number[]}[]} */
  const stretches = [];
  const worded = new Set();
  if (byWord) {
    for (const [start, end, tokens] of side.words) {
      const members = tokens.flatMap((token) => place.get(token) ?? []);
      for (const token of tokens) worded.add(token);
      if (members.length) stretches.push({ start, end, special: false, name: undefined, members });
    }
  }
  for (const token of chosen) {
    if (worded.has(token)) continue;
    const [start, end, special, name] = side.tokens[token];
    stretches.push({ start, end, special: special === 1, name, members: [/** @type {number} */ (place.get(token))] });
  }
  stretches.sort((a, b) => a.members[0] - b.members[0]);
  const units = stretches.map(({ start, end, special, name, members }) => {
    const content = name ?? text.slice(toUtf16(start), toUtf16(end));
    return {
      label: label(content),
      text: content,
      start: toUtf16(start),
      end: toUtf16(end),
      special,
      members,
      continued: continued !== null && start >= continued && !special,
    };
  });
  return { text, units, ...boxes(units) };
}

/** Stretches of a text as units, each in its own box. @param {string} text
 * @param {[number, number, ...unknown[]][]} stretches where each starts and ends, in characters @returns {Axis} */
export function apart(text, stretches) {
  const units = plain(
    text,
    stretches.map(([start, end]) => ({ start, end, special: false })),
  );
  return {
    text,
    units,
    boxes: units.map(({ start, end }, i) => ({ start, end, units: [i] })),
    boxOf: Int32Array.from(units.keys()),
  };
}

/** Stretches of a text as units; those that share a character share a box. @param {string} text
 * @param {{start: number, end: number, special: boolean}[]} stretches in characters @returns {Axis} */
export function together(text, stretches) {
  const units = plain(text, stretches);
  return { text, units, ...boxes(units) };
}

/** @param {string} text @param {{start: number, end: number, special: boolean}[]} stretches @returns {Unit[]} */
function plain(text, stretches) {
  const toUtf16 = places(text);
  return stretches.map(({ start: from, end: to, special }, i) => {
    const [start, end] = [toUtf16(from), toUtf16(to)];
    const content = text.slice(start, end);
    return { label: label(content), text: content, start, end, special, members: [i], continued: false };
  });
}

/** Units that share a character (bytes of one emoji) share a box; those without a place in the text have none.
 * @param {Unit[]} units */
function boxes(units) {
  const boxOf = new Int32Array(units.length).fill(-1);
  /** @type {Box[]} */
  const shared = [];
  const order = units.map((_, i) => i).filter((i) => units[i].start < units[i].end);
  order.sort((a, b) => units[a].start - units[b].start || a - b);
  for (const i of order) {
    const { start, end } = units[i];
    const last = shared[shared.length - 1];
    if (last && start < last.end) {
      last.end = Math.max(last.end, end);
      last.units.push(i);
    } else shared.push({ start, end, units: [i] });
    boxOf[i] = shared.length - 1;
  }
  return { boxes: shared, boxOf };
}

/** The matches of `needle`, whatever its case; for each, all units that it touches.
 * @param {Axis} axis @param {string} needle @returns {number[][]} */
export function find(axis, needle) {
  if (!needle) return [];
  const pattern = new RegExp(needle.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "giu");
  /** @type {number[][]} */
  const matches = [];
  let box = 0;
  for (const match of axis.text.matchAll(pattern)) {
    const end = match.index + match[0].length;
    while (box < axis.boxes.length && axis.boxes[box].end <= match.index) box++;
    const units = [];
    for (let b = box; b < axis.boxes.length && axis.boxes[b].start < end; b++) units.push(...axis.boxes[b].units);
    if (units.length) matches.push(units);
  }
  return matches;
}
