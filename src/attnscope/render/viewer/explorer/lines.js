// The line view: queries on the left, keys on the right, and a line for every weight that matters; for up to a few
// hundred words.

import { fitCanvas } from "./canvas.js";
import { short } from "../format.js";
import { mapTable } from "./head.js";
import { rowsLegend } from "./map_legend.js";
import { round, write } from "../svg.js";
import { ceiling, value } from "./view_model.js";

/** @typedef {import("./view_model.js").ViewModel} ViewModel */

const MOST = 400;
const LINE = 20;

/** How strongly a line is drawn. @param {ViewModel["paint"]} paint @param {number} share */
function lineLook(paint, share) {
  const step = paint.stepOf(share);
  const strength = paint.signed ? Math.abs(2 * step - 63) : step;
  // Below this a line would be a shade off the page.
  const seen = !paint.signed ? Math.max(step, 14) : share < 0 ? Math.min(step, 24) : Math.max(step, 39);
  return {
    colour: paint.colours[seen],
    opacity: 0.15 + (0.85 * strength) / 63,
    width: 0.6 + (2.2 * strength) / 63,
  };
}

/** @param {import("./views.js").Context} context @returns {import("./views.js").View} */
export function createLines({ dom, state, update, focus, models, current }) {
  const canvas = /** @type {HTMLCanvasElement} */ (dom.part("lines-canvas"));

  /** Where the left column of words ends and the right one begins. */
  function columnEdges() {
    const width = canvas.clientWidth || 600;
    const text = Math.min(220, width * 0.32);
    return { width, left: text, right: width - text };
  }

  /** The lines that are drawn, faint ones first: [place of the query, place of the key, value from 0 to 1, or from -1].
   * @param {ViewModel} model @returns {[number, number, number][]} */
  function lines(model) {
    /** @type {[number, number, number][]} */
    const drawn = [];
    const focused = focus.unit;
    // A line for every weight would be a thicket: the more queries are shown, the fewer lines each gets.
    const least = focused >= 0 ? 0.004 : model.rows.length > 60 ? 0.3 : 0.1;
    model.rows.forEach((q, r) => {
      if (focused >= 0 && state.dir === "to" && q !== focused) return;
      const most = ceiling(model, q) || 1;
      model.columns.forEach((k, c) => {
        if (focused >= 0 && state.dir === "by" && k !== focused) return;
        const share = value(model, q, k) / most;
        if (Math.abs(share) > least) drawn.push([r, c, Math.max(-1, Math.min(1, share))]);
      });
    });
    return drawn.sort((a, b) => Math.abs(a[2]) - Math.abs(b[2]));
  }

  /** @param {ViewModel} model */
  function draw(model) {
    if (canvas.hidden) return;
    const { rows, columns, query, key, paint } = model;
    const width = Math.max(280, dom.part("lines").clientWidth);
    fitCanvas(canvas, width, Math.max(rows.length, columns.length) * LINE + 12);
    const pen = canvas.getContext("2d");
    if (!pen) return;
    const ratio = window.devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    const { left, right } = columnEdges();
    const [ink, muted, accent] = ["--ink", "--muted", "--accent"].map((name) => dom.colour(name));
    pen.lineCap = "round";
    for (const [r, c, share] of lines(model)) {
      const look = lineLook(paint, share);
      pen.strokeStyle = look.colour;
      pen.globalAlpha = look.opacity;
      pen.lineWidth = look.width;
      pen.beginPath();
      const [from, to] = [(r + 0.5) * LINE + 6, (c + 0.5) * LINE + 6];
      const bend = (right - left) * 0.4;
      pen.moveTo(left, from);
      pen.bezierCurveTo(left + bend, from, right - bend, to, right, to);
      pen.stroke();
    }
    pen.globalAlpha = 1;
    pen.font = `13px ${dom.fonts()}`;
    pen.textBaseline = "middle";
    /** @param {string} label @param {number} at @param {boolean} isQuery @param {boolean} here */
    const word = (label, at, isQuery, here) => {
      pen.fillStyle = here ? accent : focus.unit < 0 ? ink : muted;
      pen.textAlign = isQuery ? "right" : "left";
      pen.fillText(short(label, 26), isQuery ? left - 8 : right + 8, (at + 0.5) * LINE + 6);
    };
    rows.forEach((q, r) => word(query.units[q].label, r, true, state.dir === "to" && q === focus.unit));
    columns.forEach((k, c) => word(key.units[k].label, c, false, state.dir === "by" && k === focus.unit));
  }

  /** The unit under the pointer and its side. @param {MouseEvent} event */
  function under(event) {
    const model = current();
    if (!model) return { unit: -1, dir: "to" };
    const box = canvas.getBoundingClientRect();
    const place = Math.floor((event.clientY - box.top - 6) / LINE);
    const isQuery = event.clientX - box.left < columnEdges().width / 2;
    return { unit: (isQuery ? model.rows : model.columns)[place] ?? -1, dir: isQuery ? "to" : "by" };
  }

  /** @param {string} dir */
  const turn = (dir) => update({ dir, pin: -1, other: -1 });

  canvas.addEventListener("pointermove", (event) => {
    const { unit, dir } = under(event);
    if (state.pin < 0 && dir !== state.dir) turn(dir);
    focus.point(unit, -1);
  });
  canvas.addEventListener("pointerleave", () => focus.point(-1, -1));
  canvas.addEventListener("click", (event) => {
    const { unit, dir } = under(event);
    if (unit < 0) return;
    if (dir !== state.dir) turn(dir);
    focus.pin(unit, false);
  });
  canvas.addEventListener("keydown", (event) => {
    const model = current();
    if (!model || !(event.key === "ArrowDown" || event.key === "ArrowUp" || event.key === "Enter")) return;
    const among = state.dir === "to" ? model.rows : model.columns;
    const now = among.indexOf(focus.unit);
    if (event.key === "Enter") focus.pin(Math.max(focus.unit, among[0]), false);
    else focus.point(among[Math.max(0, Math.min(among.length - 1, now + (event.key === "ArrowDown" ? 1 : -1)))], -1);
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    needsMap: true,
    sourceName: () => models.mapSourceName(state),
    show({ rows, columns }) {
      const many = Math.max(rows.length, columns.length) > MOST;
      dom.part("too-many").hidden = !many;
      canvas.hidden = many;
    },
    follow: draw,
    legend: (model) => rowsLegend(model, state.dir === "to" ? focus.unit : -1),
    svg(model) {
      const { width, left, right } = columnEdges();
      const ink = dom.colour("--ink");
      const parts = lines(model).map(([r, c, share]) => {
        const look = lineLook(model.paint, share);
        const [from, to, bend] = [(r + 0.5) * LINE, (c + 0.5) * LINE, (right - left) * 0.4];
        return (
          `<path d="M${left} ${from}C${round(left + bend)} ${from} ${round(right - bend)} ${to} ${right} ${to}" fill="none" ` +
          `stroke="${look.colour}" stroke-width="${round(look.width)}" opacity="${round(look.opacity)}"/>`
        );
      });
      const word = (/** @type {string} */ text, /** @type {number} */ at, /** @type {boolean} */ isQuery) =>
        write(
          isQuery ? left - 8 : right + 8,
          (at + 0.5) * LINE + 4,
          short(text, 26),
          ` font-size="13" fill="${ink}"${isQuery ? ' text-anchor="end"' : ""}`,
        );
      model.rows.forEach((q, r) => parts.push(word(model.query.units[q].label, r, true)));
      model.columns.forEach((k, c) => parts.push(word(model.key.units[k].label, c, false)));
      return { parts, width, height: Math.max(model.rows.length, model.columns.length) * LINE };
    },
    table: (model) => mapTable(model, model.rows, model.columns),
  };
}
