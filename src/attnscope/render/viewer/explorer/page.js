// The document: its data, its elements, light and dark.

/**
 * @typedef {import("./units.js").Side} Side
 * @typedef {{title: string, facts: [string, string][], signed: boolean, words: [number, number, number][]}} Score
 * @typedef {{schema: number, title: string, version: string, provenance: Record<string, string>, kind: string,
 *   sides: Side[], layers: number[], heads: number[], queries: number[], keys: number[], continued: number | null,
 *   statistics: Record<string, number[][]>, flow: Score[], palettes: Record<string, [string[], string[]]>,
 *   signed: [string[], string[]], coding: {power: number, top: number}, atlas: boolean, missing: number[],
 *   kept: {mean: number, worst: number} | null, megabytes: [number, number]}} Front
 */

/** @param {string} id @returns {HTMLElement} */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @type {Front} */
export const front = JSON.parse(byId("front").textContent ?? "");
export const querySide = front.sides[0];
export const keySide = front.sides[front.sides.length - 1];
export const oneText = front.sides.length === 1;

/** An element with a text and classes. @param {string} name @param {string} [content] @param {string} [classes] */
export function element(name, content = "", classes = "") {
  const made = document.createElement(name);
  if (content) made.textContent = content;
  if (classes) made.className = classes;
  return made;
}

/** A text of the reader's in an element that keeps its direction to itself. @param {string} content */
export const own = (content) => element("bdi", content);

/** A canvas as large as its box, at the screen's resolution; true where its size changed.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height in CSS pixels */
export function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width === w && canvas.height === h) return false;
  canvas.width = w;
  canvas.height = h;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  return true;
}

const system = matchMedia("(prefers-color-scheme: dark)");

/** @param {string} theme "light", "dark" or "" for the reader's system */
export function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}

export function isDark() {
  const theme = document.documentElement.dataset.theme;
  return theme ? theme === "dark" : system.matches;
}

/** @param {() => void} heard */
export const onSystemTheme = (heard) => system.addEventListener("change", heard);

/** @type {Map<string, string>} */
const known = new Map();

/** A colour of the page, as canvas and SVG take it. Kept: to ask for it makes the browser lay out the page.
 * @param {string} name such as "--ink" */
export function colourOf(name) {
  const key = name + isDark();
  let found = known.get(key);
  if (!found) {
    byId("probe").style.color = `var(${name})`;
    found = getComputedStyle(byId("probe")).color;
    known.set(key, found);
  }
  return found;
}

let family = "";
/** The fonts of the page, for canvas. */
export const fonts = () => (family ||= getComputedStyle(document.body).fontFamily);

/** What a screen reader says next. @param {string} words */
export function say(words) {
  const live = byId("live");
  if (live.textContent !== words) live.textContent = words;
}

/** Hands a file to the reader. @param {string} name @param {Blob} blob */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const channel = new MessageChannel();
/** @type {(() => void)[]} */
const waiting = [];
channel.port1.onmessage = () => waiting.shift()?.();
/** Does it once keys and pointer have had their turn, sooner than a timer would. @param {() => void} work */
export function soon(work) {
  waiting.push(work);
  channel.port2.postMessage(0);
}
