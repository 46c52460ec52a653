// Queries on the left, keys on the right, and a line for every weight that matters: for up to a few hundred words.

import { short } from "../format.js";
import { focus, point, state } from "./hub.js";
import { fit } from "./front.js";
import { byId, colourOf, fonts } from "../page.js";
import { ceiling, value } from "./scene.js";
import { pin } from "./text.js";

/** @typedef {import("./scene.js").Scene} Scene */

export const MOST = 400;
const LINE = 20;
const canvas = /** @type {HTMLCanvasElement} */ (byId("threads"));
/** @type {Scene | null} */
let scene = null;

/** Where the columns of words end and begin. */
export function columns() {
  const width = canvas.clientWidth || 600;
  const text = Math.min(220, width * 0.32);
  return { width, left: text, right: width - text };
}

/** @param {Scene} shown */
export function showLines(shown) {
  scene = shown;
  const many = Math.max(shown.rows.length, shown.columns.length);
  byId("too-many").hidden = many <= MOST;
  canvas.hidden = many > MOST;
  if (many <= MOST) drawLines();
}

/** The lines that are drawn: [place of the query, place of the key, value from 0 to 1].
 * @param {Scene} shown @returns {[number, number, number][]} */
export function threads(shown) {
  /** @type {[number, number, number][]} */
  const found = [];
  const focused = focus.unit;
  // All at once, a line for every weight is a thicket: the more queries, the fewer of theirs.
  const least = focused >= 0 ? 0.004 : shown.rows.length > 60 ? 0.3 : 0.1;
  shown.rows.forEach((q, r) => {
    if (focused >= 0 && state.dir === "to" && q !== focused) return;
    const most = ceiling(shown, q) || 1;
    shown.columns.forEach((k, c) => {
      if (focused >= 0 && state.dir === "by" && k !== focused) return;
      const share = value(shown, q, k) / most;
      if (share > least) found.push([r, c, Math.min(1, share)]);
    });
  });
  return found;
}

export function drawLines() {
  if (!scene || canvas.hidden) return;
  const { rows, columns: keys, query, key, paint } = scene;
  const width = Math.max(280, byId("lines").clientWidth);
  fit(canvas, width, Math.max(rows.length, keys.length) * LINE + 12);
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const ratio = window.devicePixelRatio || 1;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  const { left, right } = columns();
  const [ink, muted, accent] = ["--ink", "--muted", "--accent"].map((name) => colourOf(name));
  pen.lineCap = "round";
  for (const [r, c, share] of threads(scene).sort((a, b) => a[2] - b[2])) {
    const step = paint.stepOf(share);
    pen.strokeStyle = paint.colours[Math.max(step, 14)];
    pen.globalAlpha = 0.15 + (0.85 * step) / 63;
    pen.lineWidth = 0.6 + (2.2 * step) / 63;
    pen.beginPath();
    const [from, to] = [(r + 0.5) * LINE + 6, (c + 0.5) * LINE + 6];
    const bend = (right - left) * 0.4;
    pen.moveTo(left, from);
    pen.bezierCurveTo(left + bend, from, right - bend, to, right, to);
    pen.stroke();
  }
  pen.globalAlpha = 1;
  pen.font = `13px ${fonts()}`;
  pen.textBaseline = "middle";
  rows.forEach((q, r) => word(pen, query.units[q].label, r, true, state.dir === "to" && q === focus.unit));
  keys.forEach((k, c) => word(pen, key.units[k].label, c, false, state.dir === "by" && k === focus.unit));

  /** @param {CanvasRenderingContext2D} to @param {string} label @param {number} at @param {boolean} isQuery
   * @param {boolean} here */
  function word(to, label, at, isQuery, here) {
    to.fillStyle = here ? accent : focus.unit < 0 ? ink : muted;
    to.textAlign = isQuery ? "right" : "left";
    to.fillText(short(label, 26), isQuery ? left - 8 : right + 8, (at + 0.5) * LINE + 6);
  }
}

/** The unit under the pointer and its side. @param {MouseEvent} event */
function under(event) {
  if (!scene) return { unit: -1, dir: "to" };
  const { width } = columns();
  const box = canvas.getBoundingClientRect();
  const place = Math.floor((event.clientY - box.top - 6) / LINE);
  const isQuery = event.clientX - box.left < width / 2;
  return { unit: (isQuery ? scene.rows : scene.columns)[place] ?? -1, dir: isQuery ? "to" : "by" };
}

/** @param {(dir: string) => void} turn */
export function listenLines(turn) {
  canvas.addEventListener("pointermove", (event) => {
    const { unit, dir } = under(event);
    if (state.pin < 0 && dir !== state.dir) turn(dir);
    point(unit, -1);
  });
  canvas.addEventListener("pointerleave", () => point(-1, -1));
  canvas.addEventListener("click", (event) => {
    const { unit, dir } = under(event);
    if (unit < 0) return;
    if (dir !== state.dir) turn(dir);
    pin(unit, false);
  });
  canvas.addEventListener("keydown", (event) => {
    if (!scene || !(event.key === "ArrowDown" || event.key === "ArrowUp" || event.key === "Enter")) return;
    const among = state.dir === "to" ? scene.rows : scene.columns;
    const now = among.indexOf(focus.unit);
    if (event.key === "Enter") pin(Math.max(focus.unit, among[0]), false);
    else point(among[Math.max(0, Math.min(among.length - 1, now + (event.key === "ArrowDown" ? 1 : -1)))], -1);
    event.preventDefault();
    event.stopPropagation();
  });
}
