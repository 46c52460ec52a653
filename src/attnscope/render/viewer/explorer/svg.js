// What is seen, as one SVG: letters as text, maps as pixels; the png is made of it.

import { textOn } from "./colour.js";
import { short, xml } from "../format.js";
import { STRIP, strip, stripLabels } from "./flow.js";
import { frame, labels } from "./head.js";
import { focus, state } from "./hub.js";
import { byId, colourOf, front } from "./page.js";
import { caption, marks } from "./legend.js";
import { columns, threads } from "./lines.js";
import { colours, signedPaint } from "./scene.js";
import { shownTexts } from "./text.js";

/** @typedef {import("./scene.js").Scene} Scene */

const FONT = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Hiragino Sans', 'Noto Sans JP', 'Noto Sans CJK JP', sans-serif";
const EDGE = 24;

/** @param {number} x @param {number} y @param {string} text @param {string} [more] */
const write = (x, y, text, more = "") => `<text x="${round(x)}" y="${round(y)}"${more}>${xml(text)}</text>`;
/** @param {number} x @param {number} y @param {number} w @param {number} h @param {string} colour */
const box = (x, y, w, h, colour) =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" fill="${colour}"/>`;
/** @param {number} value */
const round = (value) => Number(value.toFixed(2));
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
  parts.push(`<rect x="${left}" y="${top}" width="${width}" height="${height}" fill="none" stroke="${colourOf("--rule")}"/>`);
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

function texts() {
  const parts = [];
  const holder = byId("texts").getBoundingClientRect();
  const [ink, accent] = ["--ink", "--accent"].map(colourOf);
  const steps = (state.other >= 0 ? signedPaint() : { colours: colours(state) }).colours;
  for (const { root, steps: of } of shownTexts()) {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const parent = /** @type {HTMLElement} */ (node.parentElement);
      const span = /** @type {HTMLElement} */ (parent.closest(".u") ?? parent);
      if (span !== root && !span.offsetParent) continue;
      const step = span.dataset.box ? of[Number(span.dataset.box)] : -1;
      const size = parseFloat(getComputedStyle(span).fontSize);
      for (const { text, rect } of lines(/** @type {Text} */ (node))) {
        const [x, y] = [rect.left - holder.left, rect.top - holder.top];
        if (step >= 0) parts.push(box(x, y, rect.width, rect.height, steps[step]));
        if (span.matches(".q, .q2")) {
          parts.push(
            `<rect x="${round(x - 2)}" y="${round(y)}" width="${round(rect.width + 4)}" height="${round(rect.height)}" ` +
              `rx="4" fill="none" stroke="${accent}" stroke-width="2"/>`,
          );
        }
        if (!text.trim()) continue;
        const fill = step >= 0 ? textOn(steps[step]) : ink;
        parts.push(write(x, y + rect.height * 0.5 + size * 0.35, text, ` font-size="${size}" fill="${fill}" xml:space="preserve"`));
      }
    }
  }
  return { parts, width: holder.width, height: holder.height };
}

/** The pieces of a text that stand on one line each. @param {Text} node */
function lines(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const whole = [...range.getClientRects()].filter((rect) => rect.width > 0);
  if (whole.length < 2) return whole.map((rect) => ({ text: node.data, rect }));
  /** @type {{text: string, rect: DOMRect}[]} */
  const found = [];
  let from = 0;
  for (const character of node.data) {
    range.setStart(node, from);
    range.setEnd(node, from + character.length);
    from += character.length;
    const rect = range.getBoundingClientRect();
    const last = found[found.length - 1];
    if (!rect.width) continue;
    if (last && Math.abs(last.rect.top - rect.top) < 2) {
      last.text += character;
      const left = Math.min(last.rect.left, rect.left);
      last.rect = new DOMRect(left, rect.top, Math.max(last.rect.right, rect.right) - left, rect.height);
    } else found.push({ text: character, rect });
  }
  return found;
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
  name === "overview" || !scene ? overview() : name === "head" ? head(scene) : name === "text" ? texts() : name === "lines" ? threaded(scene) : flow(scene);

/** The document, with its legend and caption. @param {Scene | null} scene */
export function svg(scene) {
  const { parts, width, height } = body(scene, state.view);
  const wide = Math.max(480, width) + 2 * EDGE;
  const [ink, muted, page] = ["--ink", "--muted", "--page"].map(colourOf);
  const says = wrap(caption(scene), Math.floor((wide - 2 * EDGE) / 6));
  const tall = height + 2 * EDGE + 62 + 16 * says.length;
  const steps = colours(state);
  const ramp = steps.map((colour, i) => box((i * 200) / 64, 0, 200 / 64 + 0.3, 8, colour)).join("");
  const numbers = marks(scene).map(({ place, text }) => write(200 * place, 24, text, ` font-size="11" fill="${ink}" text-anchor="middle"`));
  const unit = focus.unit >= 0 && scene && state.view !== "overview" ? (state.dir === "to" ? scene.query : scene.key).units[focus.unit] : null;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(wide)}" height="${Math.ceil(tall)}" viewBox="0 0 ${Math.ceil(wide)} ${Math.ceil(tall)}" font-family="${FONT}" font-size="12">`,
    `<title>${xml(front.title)}</title><desc>${xml(caption(scene))}</desc>`,
    `<rect width="100%" height="100%" fill="${page}"/>`,
    `<g transform="translate(${EDGE} ${EDGE})">${parts.join("")}</g>`,
    `<g transform="translate(${EDGE + 14} ${round(height + 2 * EDGE)})">${ramp}${numbers.join("")}`,
    unit ? write(240, 9, `${unit.label} ${state.dir === "to" ? "attends to" : "is attended to by"}`, ` fill="${ink}"`) : "",
    "</g>",
    ...says.map((line, i) => write(EDGE, height + 2 * EDGE + 52 + 16 * i, line, ` font-size="11" fill="${muted}"`)),
    "</svg>",
  ].join("\n");
}

/** @param {string} text @param {number} most characters of a line */
function wrap(text, most) {
  const found = [""];
  for (const word of text.split(" ")) {
    const line = found[found.length - 1];
    if (line && line.length + word.length + 1 > most) found.push(word);
    else found[found.length - 1] = line ? `${line} ${word}` : word;
  }
  return found;
}
