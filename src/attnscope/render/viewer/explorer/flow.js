// Attention through the layers: rollout of one query, layer by layer, and the scores that came with the data.

import { stepOf } from "../colour.js";
import { number, short } from "../format.js";
import { focus, point, state, update } from "./hub.js";
import { fit, front } from "./front.js";
import { build, elementOf, passage } from "../passage.js";
import { byId, colourOf, element, fonts, own } from "../page.js";
import { SINK_SHARE, SINK_TIMES } from "./measure.js";
import { setColours } from "./highlights.js";
import { axes, signedPaint } from "./scene.js";
import { noRollout, rollout } from "./stock.js";
import { ends, minMax, symmetric } from "../scores.js";
import { hush, tellAt } from "../tip.js";
import { apart } from "../units.js";

/** @typedef {import("./scene.js").Scene} Scene */

const canvas = /** @type {HTMLCanvasElement} */ (byId("strip"));
const LEFT = 64;
const TOP = 84;
const ROW = 15;
/** @type {Scene | null} */
let scene = null;
/** Of `unit`: (layer from the top, key unit). @type {{unit: number, name: string, rows: Float32Array[]} | null} */
let climbed = null;
let scored = false;

/** The unit that rollout starts from: the pinned one, or the last. @param {Scene} shown */
export const start = (shown) => (state.pin >= 0 && state.pin < shown.query.units.length ? state.pin : (shown.rows[shown.rows.length - 1] ?? 0));

/** What the strip shows, or null while it is being made. @param {Scene} shown */
export const strip = (shown) => (climbed && climbed.unit === start(shown) && climbed.name === state.unit ? climbed.rows : null);

/** @param {Scene} shown @param {() => void} again called when rollout has come */
export function showFlow(shown, again) {
  scene = shown;
  scores();
  const why = noRollout();
  byId("no-rollout").textContent = why && `There is no rollout: ${why}`;
  byId("rollout").hidden = Boolean(why);
  if (why) return;
  const unit = start(shown);
  byId("rollout-title").replaceChildren("Rollout from ", own(short(shown.query.units[unit].label, 40)));
  focus.unit = unit;
  byId("climbing").hidden = Boolean(strip(shown));
  if (strip(shown)) return drawStrip();
  const name = state.unit;
  void rollout(shown.query.units[unit].members).then((rows) => {
    const units = axes(name).key.units;
    const pooled = rows.map((row) => Float32Array.from(units, ({ members }) => members.reduce((sum, member) => sum + row[member], 0)));
    climbed = { unit, name, rows: pooled };
    if (scene && strip(scene)) again();
  });
}

export function drawStrip() {
  const rows = scene && strip(scene);
  if (!scene || !rows) return;
  const { columns, paint } = scene;
  const width = Math.max(260, byId("rollout").clientWidth);
  fit(canvas, width, TOP + rows.length * ROW + 2);
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const ratio = window.devicePixelRatio || 1;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.font = `12px ${fonts()}`;
  pen.textBaseline = "middle";
  const scale = (width - LEFT - 1) / columns.length;
  const [ink, muted, accent, rule] = ["--ink", "--muted", "--accent", "--rule"].map((name) => colourOf(name));
  rows.forEach((row, r) => {
    const most = ceilingOf(row);
    pen.textAlign = "right";
    pen.fillStyle = r === hovered.row ? ink : muted;
    if (r % Math.ceil(rows.length / 24) === 0 || r === rows.length - 1) {
      pen.fillText(String(front.layers[rows.length - 1 - r]), LEFT - 8, TOP + (r + 0.5) * ROW);
    }
    for (let x = 0; x < Math.ceil(width - LEFT); x++) {
      // Several keys on a pixel: the largest, as on a map.
      let value = 0;
      for (let c = Math.floor(x / scale); c < Math.min(columns.length, Math.max(Math.floor(x / scale) + 1, (x + 1) / scale)); c++) value = Math.max(value, shownOf(row, columns[c]));
      const step = paint.stepOf(most > 0 ? value / most : 0);
      if (step === 0) continue;
      pen.fillStyle = paint.colours[step];
      pen.fillRect(LEFT + x, TOP + r * ROW, 1, ROW);
    }
  });
  pen.strokeStyle = rule;
  pen.strokeRect(LEFT - 0.5, TOP - 0.5, width - LEFT, rows.length * ROW);
  for (const { at, text } of stripLabels(scale)) {
    pen.save();
    pen.translate(LEFT + (at + 0.5) * scale, TOP - 6);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "left";
    pen.fillStyle = columns[at] === focus.unit ? accent : muted;
    pen.fillText(text, 0, 0);
    pen.restore();
  }
  if (hovered.column >= 0) {
    pen.strokeStyle = ink;
    pen.strokeRect(LEFT + hovered.column * scale, TOP + hovered.row * ROW - 0.5, Math.max(2, scale), ROW);
  }
}

/** @param {Float32Array} row */
function ceilingOf(row) {
  if (state.scale === "fixed") return 1;
  let most = 0;
  for (const k of scene?.columns ?? []) most = Math.max(most, shownOf(row, k));
  return most;
}

/** 0 where a sink is hidden: what takes much of the whole at the bottom. @param {Float32Array} row @param {number} k */
function shownOf(row, k) {
  const bottom = !state.sinks && scene ? strip(scene)?.at(-1) : undefined;
  return bottom && bottom[k] >= Math.max(SINK_SHARE, SINK_TIMES / bottom.length) ? 0 : row[k];
}

/** Labels of the keys, thinned out. @param {number} scale pixels of a key */
export function stripLabels(scale) {
  if (!scene) return [];
  const every = Math.max(1, Math.ceil(15 / scale));
  const found = [];
  for (let at = 0; at < scene.columns.length; at += every) {
    found.push({ at, text: short(scene.key.units[scene.columns[at]].label, 11) });
  }
  return found;
}

export const STRIP = { LEFT, TOP, ROW };
const hovered = { row: -1, column: -1 };

/** @param {MouseEvent | null} event */
function hover(event) {
  const rows = scene && strip(scene);
  if (!scene || !rows || !event) {
    [hovered.row, hovered.column] = [-1, -1];
    hush();
    drawStrip();
    return;
  }
  const box = canvas.getBoundingClientRect();
  const scale = (canvas.clientWidth - LEFT - 1) / scene.columns.length;
  const column = Math.floor((event.clientX - box.left - LEFT) / scale);
  const row = Math.floor((event.clientY - box.top - TOP) / ROW);
  if (!(row >= 0 && row < rows.length && column >= 0 && column < scene.columns.length)) return hover(null);
  if (row === hovered.row && column === hovered.column) return undefined;
  [hovered.row, hovered.column] = [row, column];
  const k = scene.columns[column];
  const where = document.createDocumentFragment();
  where.append(own(short(scene.key.units[k].label, 40)), ` at the input of layer ${front.layers[rows.length - 1 - row]}`);
  tellAt(event.clientX + 14, event.clientY + 16, where, [number(rows[row][k])]);
  drawStrip();
  return undefined;
}
canvas.addEventListener("pointermove", hover);
canvas.addEventListener("pointerleave", () => hover(null));
canvas.addEventListener("click", () => scene && hovered.column >= 0 && update({ pin: scene.columns[hovered.column], other: -1, dir: "to" }));
canvas.addEventListener("keydown", (event) => {
  if (!scene || !(event.key === "ArrowLeft" || event.key === "ArrowRight")) return;
  const at = scene.rows.indexOf(start(scene)) + (event.key === "ArrowRight" ? 1 : -1);
  const unit = scene.rows[Math.max(0, Math.min(scene.rows.length - 1, at))];
  update({ pin: unit, other: -1, dir: "to" });
  point(unit, -1);
  event.preventDefault();
  event.stopPropagation();
});

/** The scores that came with the data, each as the text with its colours. */
function scores() {
  if (!scene || !front.flow.length) return;
  const paint = scene.paint;
  setColours(paint.colours, paint.colours, signedPaint().colours);
  if (scored) return;
  scored = true;
  const { text } = front.sides[front.sides.length - 1];
  byId("scores").replaceChildren(
    ...front.flow.map((score) => {
      const section = element("section");
      const facts = score.facts.map(([name, value]) => `${name} ${value}`).join(" · ");
      section.append(element("h3", score.title), element("p", facts, "facts"));
      const body = element("p", "", "passage");
      body.dir = "auto";
      const values = score.words.map(([, , value]) => value);
      const written = passage(body, apart(text, score.words), false);
      build(written, Infinity);
      (score.signed ? symmetric : minMax)(values).forEach((scaled, i) => {
        const span = elementOf(written, i);
        if (!span) return;
        span.classList.add(`${score.signed ? "d" : "s"}${stepOf(scaled)}`);
        span.title = number(values[i]);
      });
      const [low, high] = ends(values, score.signed);
      section.append(body, element("p", `Colours from ${number(low)} to ${number(high)}.`, "facts"));
      return section;
    }),
  );
}
