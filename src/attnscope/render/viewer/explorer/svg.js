// What each view looks like in an SVG: letters as text, maps as pixels.

import { textOn } from "../colour.js";
import { short } from "../format.js";
import { STRIP, strip, stripLabels } from "./flow.js";
import { frame, labels } from "./head.js";
import { coverAll } from "./highlights.js";
import { focus, state } from "./hub.js";
import { front } from "./front.js";
import { byId, colourOf } from "../page.js";
import { caption, marks } from "./legend.js";
import { columns, threads } from "./lines.js";
import { outline, pictured, round, texts, write } from "../picture.js";
import { colours, signedPaint } from "./scene.js";
import { shownTexts } from "./text.js";

/** @typedef {import("./scene.js").Scene} Scene */

/** @param {HTMLCanvasElement} canvas @param {number} x @param {number} y @param {number} w @param {number} h */
const picture = (canvas, x, y, w, h) =>
  `<image x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" preserveAspectRatio="none" ` +
  `style="image-rendering:pixelated" href="${canvas.toDataURL()}"/>`;

/** @param {Scene} scene */
function head(scene) {
  const { left, top, width, height } = frame;
  const look = { muted: colourOf("--muted"), ink: colourOf("--ink"), accent: colourOf("--accent") };
  const parts = [picture(/** @type {HTMLCanvasElement} */ (byId("map")), left, top, width, height)];
  for (const label of [...labels(scene, true), ...labels(scene, false)]) {
    const fill = ` fill="${look[label.look]}"`;
    const text = short(label.text, label.isRow ? 16 : 12);
    parts.push(
      label.isRow
        ? write(left - 8, top + label.middle + 4, text, `${fill} text-anchor="end"`)
        : write(0, 4, text, `${fill} transform="translate(${round(left + label.middle)} ${round(top - 8)}) rotate(-90)"`),
    );
  }
  parts.push(outline(left, top, width, height, colourOf("--rule"), 1));
  return { parts, width: left + width, height: top + height };
}

function overview() {
  const field = byId("tiles");
  const from = field.getBoundingClientRect();
  const ink = colourOf("--muted");
  const parts = [];
  for (const tile of field.querySelectorAll(".tile")) {
    const canvas = /** @type {HTMLCanvasElement} */ (tile.firstChild);
    const at = canvas.getBoundingClientRect();
    parts.push(picture(canvas, at.left - from.left, at.top - from.top, at.width, at.height));
    const stat = tile.lastChild?.textContent ? `  ${tile.lastChild.textContent}` : "";
    parts.push(write(at.left - from.left, at.bottom - from.top + 13, (tile.children[1].textContent ?? "") + stat, ` font-size="10" fill="${ink}"`));
  }
  return { parts, width: from.width, height: from.height };
}

function written() {
  coverAll();
  const accent = colourOf("--accent");
  const steps = (state.other >= 0 ? signedPaint() : { colours: colours(state) }).colours;
  const shown = shownTexts();
  return texts(byId("texts"), shown.map(({ root }) => root), colourOf("--ink"), (element) => {
    const ring = element.matches(".q, .q2") ? accent : "";
    const text = shown.find(({ places }) => places.has(element));
    const place = text?.places.get(element) ?? -1;
    const fill = steps[text?.steps[place] ?? -1];
    return fill ? { fill, ink: textOn(fill), ring } : { fill: "", ink: colourOf("--ink"), ring };
  });
}

/** @param {Scene} scene */
function threaded(scene) {
  const { width, left, right } = columns();
  const line = 20;
  const ink = colourOf("--ink");
  const parts = threads(scene)
    .sort((a, b) => a[2] - b[2])
    .map(([r, c, share]) => {
      const step = scene.paint.stepOf(share);
      const [from, to, bend] = [(r + 0.5) * line, (c + 0.5) * line, (right - left) * 0.4];
      return (
        `<path d="M${left} ${from}C${round(left + bend)} ${from} ${round(right - bend)} ${to} ${right} ${to}" fill="none" ` +
        `stroke="${scene.paint.colours[Math.max(step, 14)]}" stroke-width="${round(0.6 + (2.2 * step) / 63)}" opacity="${round(0.15 + (0.85 * step) / 63)}"/>`
      );
    });
  const word = (/** @type {string} */ text, /** @type {number} */ at, /** @type {boolean} */ isQuery) =>
    write(isQuery ? left - 8 : right + 8, (at + 0.5) * line + 4, short(text, 26), ` font-size="13" fill="${ink}"${isQuery ? ' text-anchor="end"' : ""}`);
  scene.rows.forEach((q, r) => parts.push(word(scene.query.units[q].label, r, true)));
  scene.columns.forEach((k, c) => parts.push(word(scene.key.units[k].label, c, false)));
  return { parts, width, height: Math.max(scene.rows.length, scene.columns.length) * line };
}

/** @param {Scene} scene */
function flow(scene) {
  const rows = strip(scene) ?? [];
  const canvas = /** @type {HTMLCanvasElement} */ (byId("strip"));
  const { LEFT, TOP, ROW } = STRIP;
  const [width, height] = [canvas.clientWidth, rows.length * ROW];
  const cut = document.createElement("canvas");
  const ratio = canvas.width / Math.max(1, width);
  [cut.width, cut.height] = [Math.max(1, canvas.width - LEFT * ratio), Math.max(1, height * ratio)];
  cut.getContext("2d")?.drawImage(canvas, -LEFT * ratio, -TOP * ratio);
  const muted = ` fill="${colourOf("--muted")}"`;
  const scale = (width - LEFT - 1) / scene.columns.length;
  const parts = [picture(cut, LEFT, TOP, width - LEFT, height)];
  rows.forEach((_, r) => parts.push(write(LEFT - 8, TOP + (r + 0.5) * ROW + 4, String(front.layers[rows.length - 1 - r]), `${muted} text-anchor="end"`)));
  for (const { at, text } of stripLabels(scale)) {
    parts.push(write(0, 4, text, `${muted} transform="translate(${round(LEFT + (at + 0.5) * scale)} ${TOP - 6}) rotate(-90)"`));
  }
  return { parts, width, height: TOP + height };
}

/** @param {Scene | null} scene @param {string} name of the view */
const body = (scene, name) =>
  name === "overview" || !scene ? overview() : name === "head" ? head(scene) : name === "text" ? written() : name === "lines" ? threaded(scene) : flow(scene);

/** The document, with its legend and caption. @param {Scene | null} scene */
export function svg(scene) {
  const unit = focus.unit >= 0 && scene && state.view !== "overview" ? (state.dir === "to" ? scene.query : scene.key).units[focus.unit] : null;
  const [ink, muted, page] = ["--ink", "--muted", "--page"].map((name) => colourOf(name));
  return pictured(body(scene, state.view), {
    title: front.title,
    caption: caption(scene),
    says: unit ? `${unit.label} ${state.dir === "to" ? "attends to" : "is attended to by"}` : "",
    steps: colours(state),
    ticks: marks(scene),
    ink,
    muted,
    page,
  });
}
