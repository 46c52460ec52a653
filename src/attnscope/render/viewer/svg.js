// What the page shows as an SVG, with letters as text; the PNG is made from it.

import { short, xml } from "./format.js";
import { captionLine } from "./legend.js";
import { t } from "./speech.js";

const FONT =
  "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Hiragino Sans', 'Noto Sans JP', 'Noto Sans CJK JP', sans-serif";
const EDGE = 24;
const LINE = 16;

/** @param {number} value */
export const round = (value) => Number(value.toFixed(2));
/** @param {number} x @param {number} y @param {string} text @param {string} [more] */
export const write = (x, y, text, more = "") => `<text x="${round(x)}" y="${round(y)}"${more}>${xml(text)}</text>`;
/** @param {number} x @param {number} y @param {number} w @param {number} h @param {string} colour */
export const box = (x, y, w, h, colour) =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" fill="${colour}"/>`;
/** The outline of a box. @param {number} x @param {number} y @param {number} w @param {number} h @param {string} colour
 * @param {number} width of its line */
export const outline = (x, y, w, h, colour, width) =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" rx="${2 * width}" fill="none" stroke="${colour}" stroke-width="${width}"/>`;
/** The pixels of a canvas. @param {HTMLCanvasElement} canvas @param {number} x @param {number} y @param {number} w
 * @param {number} h */
export const image = (canvas, x, y, w, h) =>
  `<image x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" preserveAspectRatio="none" ` +
  `style="image-rendering:pixelated" href="${canvas.toDataURL()}"/>`;

/** @typedef {{parts: string[], width: number, height: number}} Body */

/**
 * Texts as they are laid out on the page.
 * @param {HTMLElement} holder whose upper left corner is that of the picture @param {HTMLElement[]} roots
 * @param {string} ink @param {(element: HTMLElement) => {fill: string, ink: string, ring: string} | null} look of a word's
 * element: the colours of its background, its letters and its outline ("" for none); null for plain text
 * @returns {Body}
 */
export function textBody(holder, roots, ink, look) {
  const parts = [];
  const frame = holder.getBoundingClientRect();
  for (const root of roots) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = /** @type {HTMLElement} */ (node.parentElement);
      const span = /** @type {HTMLElement} */ (parent.closest(".u") ?? parent);
      if (span !== root && !span.offsetParent) continue;
      const seen = look(span);
      const { fontSize, fontWeight } = getComputedStyle(span);
      const size = parseFloat(fontSize);
      const weight = fontWeight === "400" ? "" : ` font-weight="${fontWeight}"`;
      for (const { text, rect } of lines(/** @type {Text} */ (node))) {
        const [x, y] = [rect.left - frame.left, rect.top - frame.top];
        if (seen?.fill) parts.push(box(x, y, rect.width, rect.height, seen.fill));
        if (seen?.ring) parts.push(outline(x - 2, y, rect.width + 4, rect.height, seen.ring, 2));
        if (!text.trim()) continue;
        const more = ` font-size="${size}"${weight} fill="${seen?.ink ?? ink}" xml:space="preserve"`;
        parts.push(write(x, y + rect.height * 0.5 + size * 0.35, text, more));
      }
    }
  }
  return { parts, width: frame.width, height: frame.height };
}

/** The pieces of a text, one for each line of the page. @param {Text} node */
function lines(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const whole = [...range.getClientRects()].filter((rect) => rect.width > 0);
  if (whole.length < 2) return whole.map((rect) => ({ text: node.data, rect }));
  /** @type {{text: string, rect: DOMRect}[]} */
  const pieces = [];
  let from = 0;
  for (const character of node.data) {
    range.setStart(node, from);
    range.setEnd(node, from + character.length);
    from += character.length;
    const rect = range.getBoundingClientRect();
    const last = pieces[pieces.length - 1];
    if (!rect.width) continue;
    if (last && Math.abs(last.rect.top - rect.top) < 2) {
      last.text += character;
      const left = Math.min(last.rect.left, rect.left);
      last.rect = new DOMRect(left, rect.top, Math.max(last.rect.right, rect.right) - left, rect.height);
    } else pieces.push({ text: character, rect });
  }
  return pieces;
}

/**
 * The document: the picture, the legends that the page shows, and its caption.
 * @param {Body} body
 * @param {{subject: import("./dom.js").Phrase, legends: import("./legend.js").Legend[],
 *   caption: import("./legend.js").Caption, ink: string, muted: string, page: string}} about subject: whose values these
 * are, where one word is looked at; ink, muted, page: colours
 */
export function svgDocument({ parts, width, height }, { subject, legends, caption, ink, muted, page }) {
  const wide = Math.ceil(Math.max(480, width) + 2 * EDGE);
  const most = Math.floor((wide - 2 * EDGE) / 6);
  const below = [];
  let y = height + 2 * EDGE;
  legends.forEach((legend, i) => {
    const { drawn, tall } = legendGroup(legend, i ? [] : subject, most, ink);
    below.push(`<g class="legend" transform="translate(${EDGE + 14} ${round(y)})">${drawn}</g>`);
    y += tall;
  });
  const rows = [captionLine(caption), ...caption.notes].flatMap((text) => wrap(text, most));
  below.push(
    `<g class="caption">${rows.map((row, i) => write(EDGE, y + 12 + LINE * i, row, ` font-size="11" fill="${muted}"`)).join("")}</g>`,
  );
  const tall = Math.ceil(y + 22 + LINE * rows.length);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${tall}" viewBox="0 0 ${wide} ${tall}" font-family="${FONT}" font-size="12">`,
    `<title>${xml(caption.title)}</title><desc>${xml(captionLine(caption))}</desc>`,
    `<rect width="100%" height="100%" fill="${page}"/>`,
    `<g transform="translate(${EDGE} ${EDGE})">${parts.join("")}</g>`,
    ...below,
    "</svg>",
  ].join("\n");
}

/** Colours, their numbers, what they measure; beside them the word in focus.
 * @param {import("./legend.js").Legend} legend @param {import("./dom.js").Phrase} subject @param {number} most characters
 * of a line @param {string} ink */
function legendGroup({ colours, ticks, unit }, subject, most, ink) {
  const ramp = colours.map((colour, i) => box((i * 200) / colours.length, 0, 200 / colours.length + 0.3, 8, colour));
  const numbers = ticks.map(({ place, text }) =>
    write(200 * place, 24, text, ` class="tick" font-size="11" fill="${ink}" text-anchor="middle"`),
  );
  const top = ticks.length ? 44 : 25;
  const rows = wrap(unit.join(""), most);
  const words = rows.map((row, i) => write(-14, top + LINE * i, row, ` class="unit" font-size="11" fill="${ink}"`));
  const whose = subject.length
    ? write(240, 9, subject.map((text) => short(text, 40)).join(""), ` class="subject" fill="${ink}"`)
    : "";
  return { drawn: [...ramp, ...numbers, whose, ...words].join(""), tall: top + LINE * (rows.length - 1) + 8 };
}

/** @param {string} text @param {number} most characters of a line */
function wrap(text, most) {
  const rows = [""];
  for (const word of text.split(" ")) {
    const row = rows[rows.length - 1];
    if (row && row.length + word.length + 1 > most) rows.push(word);
    else rows[rows.length - 1] = row ? `${row} ${word}` : word;
  }
  return rows;
}

/** An SVG as PNG. @param {Blob} drawn @returns {Promise<Blob>} */
export async function pixels(drawn) {
  const url = URL.createObjectURL(drawn);
  try {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    const canvas = document.createElement("canvas");
    // Beyond about 16,000 pixels per side browsers draw nothing.
    const scale = Math.min(2, 12_000 / Math.max(picture.width, picture.height));
    [canvas.width, canvas.height] = [Math.ceil(picture.width * scale), Math.ceil(picture.height * scale)];
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(t("the picture is too large")))), "image/png"),
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}
