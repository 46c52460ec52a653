// What is seen as a file: svg, png of the same, csv of its numbers. Legend, caption and title are those of the page.

import { download } from "../dom.js";
import { csv } from "../format.js";
import { pixels, svgDocument } from "../svg.js";

/**
 * @param {import("../dom.js").Dom} dom
 * @param {() => Promise<{name: string, body: import("../svg.js").Body, table: (string | number)[][],
 *   subject: import("../dom.js").Phrase, legend: import("../legend.js").Legend,
 *   caption: import("../legend.js").Caption} | null>} seen what is seen as soon as its map has come, each part made when
 *   it is asked for; null where its map cannot be read
 */
export const createSave = (dom, seen) => async (/** @type {string} */ kind) => {
  const shown = await seen();
  if (!shown) return;
  if (kind === "csv") {
    // The mark in front tells spreadsheets that it is UTF-8.
    download(`${shown.name}.csv`, new Blob(["\ufeff", csv(shown.table)], { type: "text/csv;charset=utf-8" }));
  } else {
    const [ink, muted, page] = ["--ink", "--muted", "--page"].map((name) => dom.colour(name));
    const { body, subject, legend, caption } = shown;
    const drawn = new Blob([svgDocument(body, { subject, legends: [legend], caption, ink, muted, page })], { type: "image/svg+xml" });
    download(`${shown.name}.${kind}`, kind === "svg" ? drawn : await pixels(drawn));
  }
  dom.say(`${kind} saved`);
};
