// Layers × heads as small pictures, in place or sorted by what was measured of them.

import { stepOf } from "../colour.js";
import { number, percent } from "../format.js";
import { state, update } from "./hub.js";
import { front } from "./front.js";
import { byId, element, say } from "../page.js";
import { paintOf } from "./scene.js";
import { pairs } from "./choices.js";
import { smallPictures } from "./stock.js";

/** @typedef {import("./stock.js").Place} Place */

/** name -> [short name, what it says, whether it is a share] @type {Record<string, [string, string, boolean]>} */
export const STATISTICS = {
  sink: ["sink", "the most that one key takes from the mean query", true],
  entropy: ["entropy", "mean entropy of a row, in nats: how spread the head looks", false],
  distance: ["distance", "mean distance from query to key, in tokens", false],
  previous: ["previous token", "mean share on the token before the query", true],
  same_word: ["same word", "mean share on the other tokens of the query’s word", true],
  first: ["first token", "mean share on the first token", true],
  special: ["special tokens", "mean share on special tokens", true],
};

/** @type {HTMLButtonElement[]} */
let tiles = [];
let drawn = "";
let arranged = "nothing yet";

/** @param {Place} place */
const nameOf = ([layer, head]) => `layer ${front.layers[layer]}, head ${front.heads[head]}`;

/** @param {string} name @param {number} value */
export const statistic = (name, value) => (STATISTICS[name]?.[2] ? percent(value) : number(value));

/** Places in the order in which they are shown. @returns {Place[]} */
export function order() {
  const all = front.layers.flatMap((_, layer) => front.heads.map((_, head) => /** @type {Place} */ ([layer, head])));
  const [name, down] = [state.sort.replace(/^-/, ""), !state.sort.startsWith("-")];
  const numbers = front.statistics[name];
  if (!numbers) return all;
  return all.sort((a, b) => (numbers[b[0]][b[1]] - numbers[a[0]][a[1]]) * (down ? 1 : -1));
}

function build() {
  const field = byId("tiles");
  for (const [layer] of front.layers.entries()) {
    for (const [head] of front.heads.entries()) {
      const tile = /** @type {HTMLButtonElement} */ (element("button", "", "tile"));
      tile.dataset.place = `${layer} ${head}`;
      tile.append(element("canvas"), element("span", `${front.layers[layer]}·${front.heads[head]}`, "name"));
      tile.append(element("span", "", "stat"));
      tiles.push(tile);
    }
  }
  field.append(...tiles);
  const at = (/** @type {Event} */ event) =>
    /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".tile"))?.dataset.place?.split(" ").map(Number);
  field.addEventListener("click", (event) => {
    const place = at(event);
    if (!place) return;
    const [layer, head] = [front.layers[place[0]], front.heads[place[1]]];
    if (event.ctrlKey || event.metaKey || event.shiftKey) choose(layer, head);
    else update({ view: "head", layer, head, from: "head" });
  });
  field.addEventListener("focusin", (event) => {
    const place = at(event);
    if (place) update({ layer: front.layers[place[0]], head: front.heads[place[1]] });
  });
  field.addEventListener("keydown", walk);
}

/** Into the selection whose mean can be looked at, or out of it. @param {number} layer @param {number} head */
export function choose(layer, head) {
  const before = pairs(state.chosen).map((pair) => pair.join("."));
  const name = `${layer}.${head}`;
  const after = before.includes(name) ? before.filter((other) => other !== name) : [...before, name];
  update({ chosen: after.join(" "), from: after.length ? "chosen" : "head" });
  say(`${after.length} heads selected`);
}

/** @param {KeyboardEvent} event */
function walk(event) {
  if (event.altKey || event.metaKey || event.ctrlKey) return;
  const shown = /** @type {HTMLElement[]} */ ([...byId("tiles").querySelectorAll(".tile")]);
  const now = shown.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const wide = shown.filter((tile) => tile.offsetTop === shown[0].offsetTop).length;
  /** @type {Record<string, number>} */
  const steps = { ArrowRight: now + 1, ArrowLeft: now - 1, ArrowDown: now + wide, ArrowUp: now - wide, Home: 0, End: shown.length - 1 };
  if (event.key === " ") {
    const [layer, head] = (shown[now].dataset.place ?? "").split(" ").map(Number);
    choose(front.layers[layer], front.heads[head]);
  } else if (event.key in steps) shown[steps[event.key]]?.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** @param {HTMLCanvasElement} canvas @param {Uint8Array} bytes fourth roots @param {number} rows @param {number} columns
 * @param {import("./scene.js").Paint} paint */
export function drawTile(canvas, bytes, rows, columns, paint) {
  [canvas.width, canvas.height] = [columns, rows];
  const pen = canvas.getContext("2d");
  const image = new ImageData(columns, rows);
  const out = new Uint32Array(image.data.buffer);
  const steps = Uint32Array.from({ length: 256 }, (_, code) => paint.words[paint.stepOf((code / 255) ** 4)]);
  for (let i = 0; i < out.length; i++) out[i] = steps[bytes[i]];
  pen?.putImageData(image, 0, 0);
}

/** Where there are no maps, the statistic's colour stands for them. @param {HTMLElement} tile @param {number} part */
function fillTile(tile, part) {
  const canvas = /** @type {HTMLCanvasElement} */ (tile.firstChild);
  [canvas.width, canvas.height] = [1, 1];
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.fillStyle = paintOf(state).colours[stepOf(part)];
  pen.fillRect(0, 0, 1, 1);
}

/** Rows and columns of a small picture. */
export const tileShape = () => [Math.min(64, front.queries.length), Math.min(64, front.keys.length)];

async function draw() {
  const looks = JSON.stringify([paintOf(state).colours[63], state.curve, state.gamma]);
  if (looks === drawn || !front.atlas) return;
  drawn = looks;
  const bytes = await smallPictures();
  const [rows, columns] = tileShape();
  const paint = paintOf(state);
  tiles.forEach((tile, i) => {
    const part = bytes.subarray(i * rows * columns, (i + 1) * rows * columns);
    drawTile(/** @type {HTMLCanvasElement} */ (tile.firstChild), part, rows, columns, paint);
  });
}

export function showOverview() {
  if (!tiles.length) build();
  const name = state.sort.replace(/^-/, "");
  const numbers = front.statistics[name];
  const look = state.sort + state.chosen;
  if (look !== arranged) {
    arranged = look;
    const flat = numbers?.flat() ?? [];
    const [least, most] = [Math.min(...flat), Math.max(...flat)];
    const chosen = new Set(pairs(state.chosen).map((pair) => pair.join(".")));
    byId("tiles").classList.toggle("sorted", Boolean(numbers));
    byId("tiles").style.setProperty("--wide", String(front.heads.length));
    const sorted = order().map(([layer, head]) => {
      const tile = tiles[layer * front.heads.length + head];
      const stat = /** @type {HTMLElement} */ (tile.lastChild);
      const value = numbers?.[layer][head];
      stat.textContent = value === undefined ? "" : statistic(name, value);
      tile.style.setProperty("--part", value === undefined ? "0" : String((value - least) / (most - least || 1)));
      if (!front.atlas && value !== undefined) fillTile(tile, (value - least) / (most - least || 1));
      const picked = chosen.has(`${front.layers[layer]}.${front.heads[head]}`);
      tile.setAttribute("aria-pressed", String(picked));
      const missing = front.missing.includes(front.layers[layer]) ? ", left out of this file" : "";
      tile.setAttribute("aria-label", nameOf([layer, head]) + (value === undefined ? "" : `, ${name} ${stat.textContent}`) + missing);
      return tile;
    });
    if (sorted.some((tile, i) => byId("tiles").children[i] !== tile)) byId("tiles").replaceChildren(...sorted);
    byId("sort-says").textContent = numbers ? STATISTICS[name][1] : "";
  }
  tiles.forEach((tile, i) => {
    const here = Math.floor(i / front.heads.length) === front.layers.indexOf(state.layer) && i % front.heads.length === front.heads.indexOf(state.head);
    tile.classList.toggle("here", here);
    tile.tabIndex = here ? 0 : -1;
  });
  void draw();
}
