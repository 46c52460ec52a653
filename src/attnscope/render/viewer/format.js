// Numbers and texts as the user sees them.

/** Four significant digits, as Python's caption writes them. @param {number} value */
export function number(value) {
  const rounded = Number(value.toPrecision(4));
  const size = Math.abs(rounded);
  return size > 0 && (size < 1e-4 || size >= 1e4) ? rounded.toExponential() : String(rounded);
}

/** A share in per cent; below ten with one decimal. @param {number} share */
export function percent(share) {
  const value = 100 * share;
  return `${value.toFixed(Math.abs(value) < 10 ? 1 : 0)} %`;
}

/** Line breaks, tabs and the like as one visible mark, for labels. @param {string} value */
export const label = (value) =>
  visible(value.trim().replace(/\s+/g, " ")) ||
  value
    .replace(/\r\n|\n|\r/g, "↵")
    .replace(/\t/g, "⇥")
    .replace(/[^\S↵⇥]/gu, "␣") ||
  "∅";

/** Makes control characters, and those that change the direction of text, harmless. @param {string} value */
export const visible = (value) =>
  value.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, (mark) =>
    mark < " " ? String.fromCharCode(0x2400 + mark.charCodeAt(0)) : "·",
  );

/** A label of at most `most` characters; no character is cut in half. @param {string} value @param {number} most */
export function short(value, most) {
  const characters = Array.from(value);
  return characters.length <= most ? value : `${characters.slice(0, most - 1).join("")}…`;
}

/** One field of a CSV file. @param {string | number} value */
export function field(value) {
  const text = typeof value === "number" ? String(value) : value;
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {(string | number)[][]} rows */
export const csv = (rows) => rows.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";

/** Text for an XML document: characters that XML does not allow become visible marks. @param {string} value */
export const xml = (value) =>
  visible(value)
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ufffe\uffff]/g, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
