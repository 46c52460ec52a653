// A map on a canvas: zoom, pan, axes whose labels thin out, the row and column under the pointer outlined.

import { createQueue, fitCanvas } from "./canvas.js";
import { textOn } from "../colour.js";
import { bdi } from "../dom.js";
import { number, short } from "../format.js";
import { held, painter, stride } from "./heatmap.js";
import { listenInput } from "./input.js";
import { rowsLegend } from "./map_legend.js";
import { image, outline, round, write } from "../svg.js";
import { digits, rank } from "./top_panel.js";
import { ceiling, norm, value, values } from "./view_model.js";
import { t } from "../speech.js";

/**
 * @typedef {import("./view_model.js").ViewModel} ViewModel
 * @typedef {import("./heatmap.js").Window} Window
 * @typedef {{width: number, height: number, left: number, top: number, window: Window, q: number, k: number}} Frame
 * width, height: of the map, left, top: its margins, all in CSS pixels. q, k: places of the cell under the pointer.
 * @typedef {{text: string, isRow: boolean, middle: number, look: "muted" | "ink" | "accent"}} Label
 * middle: from the map's edge, in CSS pixels
 */

/** How many milliseconds painting may take at a time. */
const SLICE = 8;

/** @param {string} zoom */
const zoomParts = (zoom) => {
  const numbers = zoom.split(/[ +]+/).map(Number);
  return numbers.length === 3 && numbers.every(Number.isFinite) ? numbers : [0, 0, 1];
};

/** @param {import("./views.js").Context} context @returns {import("./views.js").View} */
export function createHead(context) {
  const { dom, state, focus, models, tooltip, search, current } = context;
  const canvas = /** @type {HTMLCanvasElement} */ (dom.part("map"));
  const over = /** @type {HTMLCanvasElement} */ (dom.part("over"));
  const stage = dom.part("stage");
  const soon = createQueue();
  /** @type {Frame} */
  const frame = { width: 0, height: 0, left: 0, top: 0, window: { x: 0, y: 0, sx: 1, sy: 1 }, q: -1, k: -1 };
  /** The number of the latest painting. */
  let painting = 0;
  let looks = { muted: "", ink: "", accent: "", rule: "" };
  /** The units that a search found, as places on the axes. @type {{rows: number[], columns: number[]}} */
  let matches = { rows: [], columns: [] };

  /** The frame for the stage at its current size. @param {ViewModel} model */
  function layOut({ rows, columns }) {
    const narrow = stage.clientWidth < 480;
    frame.left = narrow ? 64 : 108;
    frame.top = narrow ? 56 : 84;
    frame.width = Math.max(120, stage.clientWidth - frame.left - 1);
    const shape = Math.min(1, Math.max(0.2, rows.length / Math.max(1, columns.length)));
    // A notebook's cell is as high as its page, not the other way round.
    const room = document.documentElement.dataset.host ? 860 : window.innerHeight;
    const tall = Math.max(240, room - 210) - frame.top;
    if (frame.width * shape > tall) frame.width = Math.max(200, Math.min(frame.width, tall / shape));
    frame.height = Math.round(frame.width * shape);
    const [x, y, times] = zoomParts(state.zoom);
    const zoom = Math.max(1, times);
    const sx = (frame.width / Math.max(1, columns.length)) * zoom;
    const sy = (frame.height / Math.max(1, rows.length)) * zoom;
    frame.window = { sx, sy, x: held(x, sx, frame.width, columns.length), y: held(y, sy, frame.height, rows.length) };
  }

  /** Paints in slices, so that a map of millions of cells never delays keys or the pointer; shown when complete.
   * @param {ViewModel} model @param {number} ratio */
  function paintMap(model, ratio) {
    const pen = canvas.getContext("2d");
    if (!pen) return;
    const pixels = new ImageData(canvas.width, canvas.height);
    const out = new Uint32Array(pixels.data.buffer);
    const { map, rows, columns, paint } = model;
    const factors = new Float32Array(map.nq);
    for (const q of rows) {
      const most = ceiling(model, q);
      factors[q] = most > 0 ? (map.largest[q] * norm(model, q)) / most : 0;
    }
    const { sx, sy } = frame.window;
    const scaled = { ...frame.window, sx: sx * ratio, sy: sy * ratio };
    const fill = painter(
      map,
      rows,
      columns,
      factors,
      scaled,
      pixels.width,
      pixels.height,
      paint.table,
      paint.words,
      0,
      out,
      paint.signed,
    );
    const name = models.mapName(model.state);
    const mine = ++painting;
    let line = 0;
    stage.setAttribute("aria-busy", "true");
    const slice = () => {
      if (mine !== painting) return;
      for (const end = performance.now() + SLICE; line < pixels.height && performance.now() < end;) {
        const to = Math.min(pixels.height, line + 16);
        fill(line, to);
        line = to;
      }
      if (line < pixels.height) return soon(slice);
      stage.removeAttribute("aria-busy");
      pen.putImageData(pixels, 0, 0);
      canvas.dataset.shown = name;
      if (Math.min(sx, sy) >= 34) writeNumbers(pen, model, ratio);
    };
    slice();
  }

  /** Values in the cells, where there is room. @param {CanvasRenderingContext2D} pen @param {ViewModel} model
   * @param {number} ratio */
  function writeNumbers(pen, model, ratio) {
    const { rows, columns, paint } = model;
    const { x, y, sx, sy } = frame.window;
    pen.save();
    pen.scale(ratio, ratio);
    pen.font = `${Math.min(13, sx / 3.4)}px ${dom.fonts()}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (let r = Math.floor(y); r < Math.min(rows.length, y + frame.height / sy); r++) {
      for (let c = Math.floor(x); c < Math.min(columns.length, x + frame.width / sx); c++) {
        const share = value(model, rows[r], columns[c]);
        if (share === 0) continue;
        const most = ceiling(model, rows[r]);
        pen.fillStyle = textOn(paint.colours[paint.stepOf(most > 0 ? share / most : 0)]);
        const text = Math.abs(share) < 0.001 ? share.toExponential(0) : share.toFixed(3).replace(/^(-?)0/, "$1");
        pen.fillText(text, (c - x + 0.5) * sx, (r - y + 0.5) * sy);
      }
    }
    pen.restore();
  }

  /** Draws axes, the row and column under the pointer, the pinned row and the matches. @param {ViewModel} model */
  function drawOver(model) {
    const pen = over.getContext("2d");
    if (!pen) return;
    const ratio = window.devicePixelRatio || 1;
    const { left, top, width, height, q, k } = frame;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, over.width, over.height);
    pen.strokeStyle = looks.rule;
    pen.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
    const pinned = state.pin < 0 ? -1 : (state.dir === "to" ? model.rows : model.columns).indexOf(state.pin);
    for (const row of matches.rows) drawMatch(pen, row, true);
    for (const column of matches.columns) drawMatch(pen, column, false);
    if (pinned >= 0) drawBand(pen, pinned, state.dir === "to", looks.accent, 2);
    if (q >= 0) drawBand(pen, q, true, looks.ink, 1);
    if (k >= 0) drawBand(pen, k, false, looks.ink, 1);
    pen.font = `12px ${dom.fonts()}`;
    for (const label of [...labels(model, true), ...labels(model, false)]) writeLabel(pen, label);
  }

  /** A small mark in the margin and a faint line. @param {CanvasRenderingContext2D} pen @param {number} at
   * @param {boolean} isRow */
  function drawMatch(pen, at, isRow) {
    const { left, top, window: view, width, height } = frame;
    const middle = isRow ? (at + 0.5 - view.y) * view.sy : (at + 0.5 - view.x) * view.sx;
    if (middle < 0 || middle > (isRow ? height : width)) return;
    pen.fillStyle = looks.accent;
    if (isRow) pen.fillRect(left - 5, top + middle - 1, 4, 2);
    else pen.fillRect(left + middle - 1, top - 5, 2, 4);
    pen.globalAlpha = 0.25;
    if (isRow) pen.fillRect(left, top + middle - 0.5, width, 1);
    else pen.fillRect(left + middle - 0.5, top, 1, height);
    pen.globalAlpha = 1;
  }

  /** The outline of a whole row or column. @param {CanvasRenderingContext2D} pen @param {number} at
   * @param {boolean} isRow @param {string} colour @param {number} thick */
  function drawBand(pen, at, isRow, colour, thick) {
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

  /** The labels of an axis: as many as fit; those of the pinned unit and the one under the pointer take precedence.
   * @param {ViewModel} model @param {boolean} isRow @returns {Label[]} */
  function labels({ rows, columns, query, key }, isRow) {
    const { window: view, width, height } = frame;
    const [start, scale, size] = isRow ? [view.y, view.sy, height] : [view.x, view.sx, width];
    const places = isRow ? rows : columns;
    const units = (isRow ? query : key).units;
    const pinned = state.pin >= 0 && (state.dir === "to") === isRow ? places.indexOf(state.pin) : -1;
    const pointed = isRow ? frame.q : frame.k;
    const first = [pinned, pointed].filter((at) => at >= 0);
    const every = stride(scale, 15);
    const near = Math.ceil(13 / scale);
    /** @type {Label[]} */
    const written = [];
    const add = (/** @type {number} */ at, /** @type {Label["look"]} */ look) => {
      const middle = (at + 0.5 - start) * scale;
      if (middle < 0 || middle > size) return;
      written.push({ text: short(units[places[at]].label, 24), isRow, middle, look });
    };
    for (
      let at = Math.ceil(Math.max(0, start) / every) * every;
      at < Math.min(places.length, start + size / scale);
      at += every
    ) {
      if (!first.some((other) => Math.abs(other - at) < near)) add(at, "muted");
    }
    for (const at of first) add(at, at === pinned ? "accent" : "ink");
    return written;
  }

  /** @param {CanvasRenderingContext2D} pen @param {Label} label */
  function writeLabel(pen, { text, isRow, middle, look }) {
    const { left, top } = frame;
    const most = (isRow ? left : top) - 12;
    while (text.length > 2 && pen.measureText(text).width > most) text = short(text, Array.from(text).length - 1);
    pen.fillStyle = looks[look];
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

  /** Points at a cell, and shows its value beside the pointer. @param {number} q @param {number} k places */
  function pointAt(q, k) {
    const model = current();
    if (!model || (frame.q === q && frame.k === k)) return;
    [frame.q, frame.k] = [q, k];
    if (q < 0 || k < 0) {
      tooltip.hide();
      focus.point(state.pin >= 0 ? state.pin : -1, -1);
    } else {
      const [query, key] = [model.rows[q], model.columns[k]];
      const row = values(model, query, "to");
      const pair = document.createDocumentFragment();
      pair.append(bdi(short(model.query.units[query].label, 40)), " → ", bdi(short(model.key.units[key].label, 40)));
      const box = stage.getBoundingClientRect();
      const { left, top, window: view } = frame;
      const x = box.left + left + (k + 1 - view.x) * view.sx + 14;
      const y = box.top + top + (q + 1 - view.y) * view.sy + 14;
      const said = t("{value}, rank {rank} of {count}", {
        value: number(row[key]),
        rank: rank(row, model.columns, key),
        count: model.columns.length,
      });
      tooltip.showAt(x, y, pair, [model.map.hidden[key] ? t("hidden sink") : said]);
      if (state.dir === "to") focus.point(query, key);
      else focus.point(key, query);
    }
    drawOver(model);
  }

  listenInput(context, stage, frame, pointAt);

  return {
    needsMap: true,
    sourceName: () => models.mapSourceName(state),
    show(model) {
      matches = search.places(model);
      looks = {
        muted: dom.colour("--muted"),
        ink: dom.colour("--ink"),
        accent: dom.colour("--accent"),
        rule: dom.colour("--rule"),
      };
      layOut(model);
      fitCanvas(canvas, frame.width, frame.height);
      canvas.style.left = `${frame.left}px`;
      canvas.style.top = `${frame.top}px`;
      fitCanvas(over, frame.left + frame.width + 1, frame.top + frame.height + 1);
      stage.style.height = `${frame.top + frame.height + 2}px`;
      paintMap(model, window.devicePixelRatio || 1);
    },
    follow: drawOver,
    leave: () => pointAt(-1, -1),
    legend: (model) => rowsLegend(model, state.dir === "to" ? focus.unit : -1),
    svg(model) {
      const { left, top, width, height } = frame;
      const parts = [image(canvas, left, top, width, height)];
      for (const label of [...labels(model, true), ...labels(model, false)]) {
        const fill = ` fill="${looks[label.look]}"`;
        const text = short(label.text, label.isRow ? 16 : 12);
        parts.push(
          label.isRow
            ? write(left - 8, top + label.middle + 4, text, `${fill} text-anchor="end"`)
            : write(
                0,
                4,
                text,
                `${fill} transform="translate(${round(left + label.middle)} ${round(top - 8)}) rotate(-90)"`,
              ),
        );
      }
      parts.push(outline(left, top, width, height, looks.rule, 1));
      return { parts, width: left + width, height: top + height };
    },
    /** The part of the map that is in the frame. */
    table(model) {
      const { window: view, width, height } = frame;
      const rows = model.rows.slice(Math.floor(view.y), Math.ceil(view.y + height / view.sy));
      const columns = model.columns.slice(Math.floor(view.x), Math.ceil(view.x + width / view.sx));
      return mapTable(model, rows, columns);
    },
  };
}

/** @param {ViewModel} model @param {Int32Array} rows @param {Int32Array} columns @returns {(string | number)[][]} */
export const mapTable = (model, rows, columns) => [
  ["query \\ key", ...[...columns].map((k) => model.key.units[k].text)],
  ...[...rows].map((q) => [model.query.units[q].text, ...[...columns].map((k) => digits(value(model, q, k)))]),
];
