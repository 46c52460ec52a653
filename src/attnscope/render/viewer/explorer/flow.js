// Attention through the layers: the rollout of a query, layer by layer, and the scores that came with the data.

import { fitCanvas } from "./canvas.js";
import { stepOf } from "../colour.js";
import { bdi, element, setPhrase } from "../dom.js";
import { number, short } from "../format.js";
import { curvedLegend } from "./map_legend.js";
import { SINK_SHARE, SINK_TIMES } from "./pooling.js";
import { ends, minMax, symmetric } from "../scores.js";
import { image, round, write } from "../svg.js";
import { buildText, createTextView, elementOf } from "../text_view.js";
import { digits } from "./top_panel.js";
import { inUnits } from "./view_model.js";
import { apart } from "../units.js";
import { later, phrase, t } from "../speech.js";

/** @typedef {import("./view_model.js").ViewModel} ViewModel */

const LEFT = 64;
const TOP = 84;
const ROW = 15;

/** @param {import("./views.js").Context} context @returns {import("./views.js").View} */
export function createFlow({ dom, manifest, state, update, focus, cache, tooltip, redraw, current, failed }) {
  const canvas = /** @type {HTMLCanvasElement} */ (dom.part("strip"));
  /** The rollout of `unit`, from the top layer down: (key unit,).
   * @type {{unit: number, name: string, rows: Float32Array[]} | null} */
  let rolled = null;
  let scoresWritten = false;
  const hovered = { row: -1, column: -1 };

  /** The unit that rollout starts from: the pinned one, or the last. @param {ViewModel} model */
  const startUnit = ({ query, rows }) =>
    state.pin >= 0 && state.pin < query.units.length ? state.pin : (rows[rows.length - 1] ?? 0);

  /** The rows to draw, or null while they are being computed. @param {ViewModel} model */
  const rolledRows = (model) =>
    rolled && rolled.unit === startUnit(model) && rolled.name === state.unit ? rolled.rows : null;

  /** The layer whose input a row shows. @param {Float32Array[]} rows @param {number} r */
  const layerOf = (rows, r) => manifest.layers[rows.length - 1 - r];

  /** 0 for a hidden sink: a key that takes much of the whole at the bottom. @param {Float32Array[]} rows
   * @param {number} r
   * @param {number} k */
  function shownValue(rows, r, k) {
    const bottom = state.sinks ? undefined : rows.at(-1);
    return bottom && bottom[k] >= Math.max(SINK_SHARE, SINK_TIMES / bottom.length) ? 0 : rows[r][k];
  }

  /** The value that has full colour in a row. @param {ViewModel} model @param {Float32Array[]} rows
   * @param {number} r */
  function rowCeiling({ columns }, rows, r) {
    if (state.scale === "fixed") return 1;
    let most = 0;
    for (const k of columns) most = Math.max(most, shownValue(rows, r, k));
    return most;
  }

  /** Labels of the keys, thinned out. @param {ViewModel} model @param {number} scale pixels of a key */
  function labels({ columns, key }, scale) {
    const every = Math.max(1, Math.ceil(15 / scale));
    const written = [];
    for (let at = 0; at < columns.length; at += every)
      written.push({ at, text: short(key.units[columns[at]].label, 11) });
    return written;
  }

  /** @param {ViewModel} model */
  function draw(model) {
    const rows = rolledRows(model);
    if (!rows || cache.noRollout()) return;
    const { columns, paint } = model;
    const width = Math.max(260, dom.part("rollout").clientWidth);
    fitCanvas(canvas, width, TOP + rows.length * ROW + 2);
    const pen = canvas.getContext("2d");
    if (!pen) return;
    const ratio = window.devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.font = `12px ${dom.fonts()}`;
    pen.textBaseline = "middle";
    const scale = (width - LEFT - 1) / columns.length;
    const [ink, muted, accent, rule] = ["--ink", "--muted", "--accent", "--rule"].map((name) => dom.colour(name));
    rows.forEach((_, r) => {
      const most = rowCeiling(model, rows, r);
      pen.textAlign = "right";
      pen.fillStyle = r === hovered.row ? ink : muted;
      if (r % Math.ceil(rows.length / 24) === 0 || r === rows.length - 1) {
        pen.fillText(String(layerOf(rows, r)), LEFT - 8, TOP + (r + 0.5) * ROW);
      }
      for (let x = 0; x < Math.ceil(width - LEFT); x++) {
        // Where several keys share a pixel, the largest is shown, as on a map.
        let value = 0;
        const end = Math.min(columns.length, Math.max(Math.floor(x / scale) + 1, (x + 1) / scale));
        for (let c = Math.floor(x / scale); c < end; c++) value = Math.max(value, shownValue(rows, r, columns[c]));
        const step = paint.stepOf(most > 0 ? value / most : 0);
        if (step === 0) continue;
        pen.fillStyle = paint.colours[step];
        pen.fillRect(LEFT + x, TOP + r * ROW, 1, ROW);
      }
    });
    pen.strokeStyle = rule;
    pen.strokeRect(LEFT - 0.5, TOP - 0.5, width - LEFT, rows.length * ROW);
    for (const { at, text } of labels(model, scale)) {
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

  /** @param {MouseEvent | null} event */
  function hover(event) {
    const model = current();
    const rows = model && rolledRows(model);
    if (!model || !rows || !event) {
      [hovered.row, hovered.column] = [-1, -1];
      tooltip.hide();
      if (model) draw(model);
      return;
    }
    const box = canvas.getBoundingClientRect();
    const scale = (canvas.clientWidth - LEFT - 1) / model.columns.length;
    const column = Math.floor((event.clientX - box.left - LEFT) / scale);
    const row = Math.floor((event.clientY - box.top - TOP) / ROW);
    if (!(row >= 0 && row < rows.length && column >= 0 && column < model.columns.length)) return hover(null);
    if (row === hovered.row && column === hovered.column) return undefined;
    [hovered.row, hovered.column] = [row, column];
    const k = model.columns[column];
    const where = document.createDocumentFragment();
    const said = phrase("{word} at the input of layer {layer}", {
      word: short(model.key.units[k].label, 40),
      layer: String(layerOf(rows, row)),
    });
    where.append(...said.map((text, i) => (i % 2 ? bdi(text) : text)));
    tooltip.showAt(event.clientX + 14, event.clientY + 16, where, [number(rows[row][k])]);
    draw(model);
    return undefined;
  }
  canvas.addEventListener("pointermove", hover);
  canvas.addEventListener("pointerleave", () => hover(null));
  canvas.addEventListener("click", () => {
    const model = current();
    if (model && hovered.column >= 0) update({ pin: model.columns[hovered.column], other: -1, dir: "to" });
  });
  canvas.addEventListener("keydown", (event) => {
    const model = current();
    if (!model || !(event.key === "ArrowLeft" || event.key === "ArrowRight")) return;
    const place = model.rows.indexOf(startUnit(model)) + (event.key === "ArrowRight" ? 1 : -1);
    const unit = model.rows[Math.max(0, Math.min(model.rows.length - 1, place))];
    update({ pin: unit, other: -1, dir: "to" });
    focus.point(unit, -1);
    event.preventDefault();
    event.stopPropagation();
  });

  /** The scores that came with the data, each as the text with its colours. */
  function writeScores() {
    if (scoresWritten || !manifest.flow.length) return;
    scoresWritten = true;
    const { text } = manifest.sides[manifest.sides.length - 1];
    dom.part("scores").replaceChildren(
      ...manifest.flow.map((score) => {
        const section = element("section");
        const facts = score.facts.map(([name, value]) => `${name} ${value}`).join(" · ");
        section.append(element("h3", score.title), element("p", facts, "facts"));
        const body = element("p", "", "passage");
        body.dir = "auto";
        const values = score.words.map(([, , value]) => value);
        const view = createTextView(body, apart(text, score.words), false);
        buildText(view, Infinity);
        (score.signed ? symmetric : minMax)(values).forEach((scaled, i) => {
          const span = elementOf(view, i);
          if (!span) return;
          span.classList.add(`${score.signed ? "d" : "s"}${stepOf(scaled)}`);
          span.title = number(values[i]);
        });
        const [low, high] = ends(values, score.signed);
        const notes = [
          ...(score.notes ?? []),
          t("Colours from {low} to {high}.", { low: number(low), high: number(high) }),
        ];
        section.append(body, element("p", notes.join(" "), "facts"));
        return section;
      }),
    );
  }

  return {
    needsMap: true,
    onlyTo: true,
    sourceName: () => t("rollout, all layers"),
    show(model) {
      writeScores();
      const why = cache.noRollout();
      dom.part("no-rollout").textContent = why && `${t("No rollout.")} ${t(why)}`;
      dom.part("rollout").hidden = Boolean(why);
      if (why) return;
      const unit = startUnit(model);
      setPhrase(
        dom.part("rollout-title"),
        phrase("Rollout from {word}", { word: short(model.query.units[unit].label, 40) }),
      );
      focus.unit = unit;
      dom.part("climbing").hidden = Boolean(rolledRows(model));
      if (rolledRows(model)) return;
      const name = state.unit;
      void cache.rollout(model.query.units[unit].members).then((rows) => {
        rolled = { unit, name, rows: rows.map((row) => inUnits(model.key, row)) };
        const now = current();
        if (now && rolledRows(now)) redraw(true);
      }, failed);
    },
    follow: draw,
    legend: ({ paint }) =>
      curvedLegend(
        state,
        paint.colours,
        state.scale === "fixed" ? 1 : null,
        t("share of rollout"),
        state.scale === "fixed" ? t("0 to 1") : t("of each row’s largest"),
      ),
    values: (model) => rolledRows(model)?.at(-1) ?? new Float32Array(model.map.nk),
    verb: () => later("{unit} comes from, in the end"),
    svg(model) {
      const rows = rolledRows(model) ?? [];
      const [width, height] = [canvas.clientWidth, rows.length * ROW];
      const cut = document.createElement("canvas");
      const ratio = canvas.width / Math.max(1, width);
      [cut.width, cut.height] = [Math.max(1, canvas.width - LEFT * ratio), Math.max(1, height * ratio)];
      cut.getContext("2d")?.drawImage(canvas, -LEFT * ratio, -TOP * ratio);
      const muted = ` fill="${dom.colour("--muted")}"`;
      const scale = (width - LEFT - 1) / model.columns.length;
      const parts = [image(cut, LEFT, TOP, width - LEFT, height)];
      rows.forEach((_, r) =>
        parts.push(write(LEFT - 8, TOP + (r + 0.5) * ROW + 4, String(layerOf(rows, r)), `${muted} text-anchor="end"`)),
      );
      for (const { at, text } of labels(model, scale)) {
        parts.push(
          write(
            0,
            4,
            text,
            `${muted} transform="translate(${round(LEFT + (at + 0.5) * scale)} ${TOP - 6}) rotate(-90)"`,
          ),
        );
      }
      return { parts, width, height: TOP + height };
    },
    table(model) {
      const rows = rolledRows(model) ?? [];
      const columns = [...model.columns];
      const numbers = rows.map((row, r) => [layerOf(rows, r), ...columns.map((k) => digits(row[k]))]);
      return [["input of layer", ...columns.map((k) => model.key.units[k].text)], ...numbers];
    },
  };
}
