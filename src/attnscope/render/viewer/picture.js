// What is seen as one SVG, letters as text; the PNG is made of it.

import { xml } from "./format.js";

const FONT = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Hiragino Sans', 'Noto Sans JP', 'Noto Sans CJK JP', sans-serif";
const EDGE = 24;

/** @param {number} value */
export const round = (value) => Number(value.toFixed(2));
/** @param {number} x @param {number} y @param {string} text @param {string} [more] */
export const write = (x, y, text, more = "") => `<text x="${round(x)}" y="${round(y)}"${more}>${xml(text)}</text>`;
/** @param {number} x @param {number} y @param {number} w @param {number} h @param {string} colour */
export const box = (x, y, w, h, colour) =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" fill="${colour}"/>`;
/** A box with nothing in it. @param {number} x @param {number} y @param {number} w @param {number} h @param {string} colour
 * @param {number} width of its line */
export const outline = (x, y, w, h, colour, width) =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" rx="${2 * width}" fill="none" stroke="${colour}" stroke-width="${width}"/>`;

/** @typedef {{parts: string[], width: number, height: number}} Body */

/**
 * The texts as they stand on the page.
 * @param {HTMLElement} holder @param {HTMLElement[]} roots @param {string} ink
 * @param {(element: HTMLElement) => {fill: string, ink: string, ring: string} | null} look of a word's element: what is
 * behind it, its letters, a line around it ("" for none); null for plain text
 * @returns {Body}
 */
export function texts(holder, roots, ink, look) {
  const parts = [];
  const frame = holder.getBoundingClientRect();
  for (const root of roots) {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const parent = /** @type {HTMLElement} */ (node.parentElement);
      const span = /** @type {HTMLElement} */ (parent.closest(".u") ?? parent);
      if (span !== root && !span.offsetParent) continue;
      const seen = look(span);
      const size = parseFloat(getComputedStyle(span).fontSize);
      for (const { text, rect } of lines(/** @type {Text} */ (node))) {
        const [x, y] = [rect.left - frame.left, rect.top - frame.top];
        if (seen?.fill) parts.push(box(x, y, rect.width, rect.height, seen.fill));
        if (seen?.ring) parts.push(outline(x - 2, y, rect.width + 4, rect.height, seen.ring, 2));
        if (!text.trim()) continue;
        const more = ` font-size="${size}" fill="${seen?.ink ?? ink}" xml:space="preserve"`;
        parts.push(write(x, y + rect.height * 0.5 + size * 0.35, text, more));
      }
    }
  }
  return { parts, width: frame.width, height: frame.height };
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

/**
 * The document: what is seen, the colours with their numbers, a caption.
 * @param {Body} body
 * @param {{title: string, caption: string, says: string, steps: string[], ticks: {place: number, text: string}[],
 *   ink: string, muted: string, page: string}} about steps: colours of the legend; says: what it stands for
 */
export function pictured({ parts, width, height }, { title, caption, says, steps, ticks, ink, muted, page }) {
  const wide = Math.ceil(Math.max(480, width) + 2 * EDGE);
  const under = wrap(caption, Math.floor((wide - 2 * EDGE) / 6));
  const tall = Math.ceil(height + 2 * EDGE + 62 + 16 * under.length);
  const ramp = steps.map((colour, i) => box((i * 200) / steps.length, 0, 200 / steps.length + 0.3, 8, colour)).join("");
  const numbers = ticks.map(({ place, text }) => write(200 * place, 24, text, ` font-size="11" fill="${ink}" text-anchor="middle"`));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${tall}" viewBox="0 0 ${wide} ${tall}" font-family="${FONT}" font-size="12">`,
    `<title>${xml(title)}</title><desc>${xml(caption)}</desc>`,
    `<rect width="100%" height="100%" fill="${page}"/>`,
    `<g transform="translate(${EDGE} ${EDGE})">${parts.join("")}</g>`,
    `<g transform="translate(${EDGE + 14} ${round(height + 2 * EDGE)})">${ramp}${numbers.join("")}`,
    says ? write(240, 9, says, ` fill="${ink}"`) : "",
    "</g>",
    ...under.map((line, i) => write(EDGE, height + 2 * EDGE + 52 + 16 * i, line, ` font-size="11" fill="${muted}"`)),
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

/** An SVG as PNG. @param {Blob} drawn @returns {Promise<Blob>} */
export async function pixels(drawn) {
  const url = URL.createObjectURL(drawn);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    // Beyond some 16,000 pixels a side browsers draw nothing.
    const scale = Math.min(2, 12_000 / Math.max(image.width, image.height));
    [canvas.width, canvas.height] = [Math.ceil(image.width * scale), Math.ceil(image.height * scale)];
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture is too large"))), "image/png"),
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}
