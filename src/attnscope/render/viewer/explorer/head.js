// One map on a canvas: zoom, pan, axes whose labels thin out, a row and a column held under the pointer.

import { number, short } from "../format.js";
import { point, state } from "./hub.js";
import { fit, soon } from "./front.js";
import { byId, colourOf, fonts, own } from "../page.js";
import { held, painter, stride } from "./plane.js";
import { rank } from "./ranking.js";
import { ceiling, gridName, norm, value, values } from "./scene.js";
import { textOn } from "../colour.js";
import { hush, tellAt } from "../tip.js";

/**
 * @typedef {import("./scene.js").Scene} Scene
 * @typedef {import("./plane.js").Window} Window
 * @typedef {{width: number, height: number, left: number, top: number, window: Window, q: number, k: number}} Frame
 * width, height: of the map, left, top: its margins, all in CSS pixels. q, k: places of the cell under the pointer.
 */

const canvas = /** @type {HTMLCanvasElement} */ (byId("map"));
const over = /** @type {HTMLCanvasElement} */ (byId("over"));
const stage = byId("stage");
/** @type {Scene | null} */
let scene = null;
/** @type {Frame} */
export const frame = { width: 0, height: 0, left: 0, top: 0, window: { x: 0, y: 0, sx: 1, sy: 1 }, q: -1, k: -1 };
/** Milliseconds that painting may take at a time. */
const SLICE = 8;
/** Which painting is the latest. */
let painting = 0;
let ink = "";
let muted = "";
let accent = "";
/** Units that a search found, as places of the axes. @type {{rows: number[], columns: number[]}} */
let found = { rows: [], columns: [] };

/** @param {string} zoom */
const parts = (zoom) => {
  const numbers = zoom.split(/[ +]+/).map(Number);
  return numbers.length === 3 && numbers.every(Number.isFinite) ? numbers : [0, 0, 1];
};

/** The frame for the stage as large as it is. @param {Scene} shown */
function measure(shown) {
  const narrow = stage.clientWidth < 480;
  frame.left = narrow ? 64 : 108;
  frame.top = narrow ? 56 : 84;
  frame.width = Math.max(120, stage.clientWidth - frame.left - 1);
  const shape = Math.min(1, Math.max(0.2, shown.rows.length / Math.max(1, shown.columns.length)));
  const tall = Math.max(240, window.innerHeight - 210) - frame.top;
  if (frame.width * shape > tall) frame.width = Math.max(200, Math.min(frame.width, tall / shape));
  frame.height = Math.round(frame.width * shape);
  const [x, y, times] = parts(state.zoom);
  const zoom = Math.max(1, times);
  const sx = (frame.width / Math.max(1, shown.columns.length)) * zoom;
  const sy = (frame.height / Math.max(1, shown.rows.length)) * zoom;
  frame.window = {
    sx,
    sy,
    x: held(x, sx, frame.width, shown.columns.length),
    y: held(y, sy, frame.height, shown.rows.length),
  };
}

/** @param {Scene} shown @param {{rows: number[], columns: number[]}} matches */
export function showHead(shown, matches) {
  scene = shown;
  found = matches;
  [ink, muted, accent] = ["--ink", "--muted", "--accent"].map((name) => colourOf(name));
  measure(shown);
  const ratio = window.devicePixelRatio || 1;
  fit(canvas, frame.width, frame.height);
  canvas.style.left = `${frame.left}px`;
  canvas.style.top = `${frame.top}px`;
  fit(over, frame.left + frame.width + 1, frame.top + frame.height + 1);
  stage.style.height = `${frame.top + frame.height + 2}px`;
  paintMap(shown, ratio);
  drawOver();
}

/** Paints in slices, so that a map of millions of cells never holds up a key or the pointer; shown when it is whole.
 * @param {Scene} shown @param {number} ratio */
function paintMap(shown, ratio) {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const image = new ImageData(canvas.width, canvas.height);
  const out = new Uint32Array(image.data.buffer);
  const factors = new Float32Array(shown.grid.nq);
  for (const q of shown.rows) {
    const most = ceiling(shown, q);
    factors[q] = most > 0 ? (shown.grid.largest[q] * norm(shown, q)) / most : 0;
  }
  const { sx, sy } = frame.window;
  const pixels = { ...frame.window, sx: sx * ratio, sy: sy * ratio };
  const { grid, rows, columns, paint: { table, words } } = shown;
  const fill = painter(grid, rows, columns, factors, pixels, image.width, image.height, table, words, 0, out);
  const name = gridName(shown.state);
  const mine = ++painting;
  let line = 0;
  stage.setAttribute("aria-busy", "true");
  const slice = () => {
    if (mine !== painting) return;
    for (const end = performance.now() + SLICE; line < image.height && performance.now() < end; ) {
      const to = Math.min(image.height, line + 16);
      fill(line, to);
      line = to;
    }
    if (line < image.height) return soon(slice);
    stage.removeAttribute("aria-busy");
    pen.putImageData(image, 0, 0);
    canvas.dataset.shown = name;
    if (Math.min(sx, sy) >= 34) numbers(pen, shown, ratio);
  };
  slice();
}

/** Values in the cells, where there is room. @param {CanvasRenderingContext2D} pen @param {Scene} shown
 * @param {number} ratio */
function numbers(pen, shown, ratio) {
  const { x, y, sx, sy } = frame.window;
  pen.save();
  pen.scale(ratio, ratio);
  pen.font = `${Math.min(13, sx / 3.4)}px ${fonts()}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (let r = Math.floor(y); r < Math.min(shown.rows.length, y + frame.height / sy); r++) {
    for (let c = Math.floor(x); c < Math.min(shown.columns.length, x + frame.width / sx); c++) {
      const share = value(shown, shown.rows[r], shown.columns[c]);
      if (share === 0) continue;
      const most = ceiling(shown, shown.rows[r]);
      pen.fillStyle = textOn(shown.paint.colours[shown.paint.stepOf(most > 0 ? share / most : 0)]);
      const text = share < 0.001 ? share.toExponential(0) : share.toFixed(3).replace(/^0/, "");
      pen.fillText(text, (c - x + 0.5) * sx, (r - y + 0.5) * sy);
    }
  }
  pen.restore();
}

/** Axes, the row and the column under the pointer, the pinned row and what was found. */
export function drawOver() {
  if (!scene) return;
  const pen = over.getContext("2d");
  if (!pen) return;
  const ratio = window.devicePixelRatio || 1;
  const { left, top, width, height } = frame;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, over.width, over.height);
  pen.strokeStyle = colourOf("--rule");
  pen.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
  const { rows, columns } = scene;
  const [q, k] = [frame.q, frame.k];
  const pinned = state.pin < 0 ? -1 : state.dir === "to" ? rows.indexOf(state.pin) : columns.indexOf(state.pin);
  for (const row of found.rows) mark(pen, left, top, row, true);
  for (const column of found.columns) mark(pen, left, top, column, false);
  if (pinned >= 0) band(pen, pinned, state.dir === "to", accent, 2);
  if (q >= 0) band(pen, q, true, ink, 1);
  if (k >= 0) band(pen, k, false, ink, 1);
  pen.font = `12px ${fonts()}`;
  for (const label of [...labels(scene, true), ...labels(scene, false)]) write(pen, label);
}

/** A small triangle in the margin and a faint line. @param {CanvasRenderingContext2D} pen @param {number} left
 * @param {number} top @param {number} at @param {boolean} isRow */
function mark(pen, left, top, at, isRow) {
  const { window: view, width, height } = frame;
  const middle = isRow ? (at + 0.5 - view.y) * view.sy : (at + 0.5 - view.x) * view.sx;
  if (middle < 0 || middle > (isRow ? height : width)) return;
  pen.fillStyle = accent;
  if (isRow) pen.fillRect(left - 5, top + middle - 1, 4, 2);
  else pen.fillRect(left + middle - 1, top - 5, 2, 4);
  pen.globalAlpha = 0.25;
  if (isRow) pen.fillRect(left, top + middle - 0.5, width, 1);
  else pen.fillRect(left + middle - 0.5, top, 1, height);
  pen.globalAlpha = 1;
}

/** The outline of a whole row or column. @param {CanvasRenderingContext2D} pen @param {number} at
 * @param {boolean} isRow @param {string} colour @param {number} thick */
function band(pen, at, isRow, colour, thick) {
  const { left, top, width, height, window: view } = frame;
  const scale = isRow ? view.sy : view.sx;
  const start = (at - (isRow ? view.y : view.x)) * scale;
  const size = Math.max(2, scale);
  if (start + size < 0 || start > (isRow ? height : width)) return;
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = thick;
  pen.globalAlpha = thick > 1 ? 1 : 0.65;
  if (isRow) pen.strokeRect(left - 2, top + start, width + 4, size);
  else pen.strokeRect(left + start, top - 2, size, height + 4);
  pen.restore();
}

/** @typedef {{text: string, isRow: boolean, middle: number, look: "muted" | "ink" | "accent"}} Label */

/**
 * The labels of an axis: as many as fit, those of the pointed and the pinned unit before the others.
 * @param {Scene} shown @param {boolean} isRow @returns {Label[]} middle: from the map's edge, in CSS pixels
 */
export function labels(shown, isRow) {
  const { window: view, width, height } = frame;
  const [start, scale, size] = isRow ? [view.y, view.sy, height] : [view.x, view.sx, width];
  const places = isRow ? shown.rows : shown.columns;
  const units = (isRow ? shown.query : shown.key).units;
  const pinned = state.pin >= 0 && (state.dir === "to") === isRow ? places.indexOf(state.pin) : -1;
  const pointed = isRow ? frame.q : frame.k;
  const first = [pinned, pointed].filter((at) => at >= 0);
  const every = stride(scale, 15);
  const near = Math.ceil(13 / scale);
  /** @type {Label[]} */
  const found = [];
  const add = (/** @type {number} */ at, /** @type {Label["look"]} */ look) => {
    const middle = (at + 0.5 - start) * scale;
    if (middle < 0 || middle > size) return;
    found.push({ text: short(units[places[at]].label, 24), isRow, middle, look });
  };
  for (let at = Math.ceil(Math.max(0, start) / every) * every; at < Math.min(places.length, start + size / scale); at += every) {
    if (!first.some((other) => Math.abs(other - at) < near)) add(at, "muted");
  }
  for (const at of first) add(at, at === pinned ? "accent" : "ink");
  return found;
}

/** @param {CanvasRenderingContext2D} pen @param {Label} label */
function write(pen, { text, isRow, middle, look }) {
  const { left, top } = frame;
  const most = (isRow ? left : top) - 12;
  while (text.length > 2 && pen.measureText(text).width > most) text = short(text, Array.from(text).length - 1);
  pen.fillStyle = look === "muted" ? muted : look === "ink" ? ink : accent;
  pen.textBaseline = "middle";
  pen.textAlign = isRow ? "right" : "left";
  if (isRow) pen.fillText(text, left - 8, top + middle);
  else {
    pen.save();
    pen.translate(left + middle, top - 8);
    pen.rotate(-Math.PI / 2);
    pen.fillText(text, 0, 0);
    pen.restore();
  }
}

/** Says what is pointed at, and shows it beside the pointer. @param {number} q @param {number} k places */
export function pointAt(q, k) {
  if (!scene || (frame.q === q && frame.k === k)) return;
  [frame.q, frame.k] = [q, k];
  if (q < 0 || k < 0) {
    hush();
    point(state.pin >= 0 ? state.pin : -1, -1);
  } else {
    const [query, key] = [scene.rows[q], scene.columns[k]];
    const row = values(scene, query, "to");
    const place = rank(row, scene.columns, key);
    const pair = document.createDocumentFragment();
    pair.append(own(short(scene.query.units[query].label, 40)), " → ", own(short(scene.key.units[key].label, 40)));
    const box = stage.getBoundingClientRect();
    const { left, top, window: view } = frame;
    const x = box.left + left + (k + 1 - view.x) * view.sx + 14;
    const y = box.top + top + (q + 1 - view.y) * view.sy + 14;
    const hidden = scene.grid.hidden[key];
    tellAt(x, y, pair, [hidden ? "hidden sink" : `${number(row[key])}, rank ${place} of ${scene.columns.length}`]);
    if (state.dir === "to") point(query, key);
    else point(key, query);
  }
  drawOver();
}
