// Saves the current view: svg, png, or csv of its numbers. Legend, caption and title are those of the page.

import { download } from "../dom.js";
import { csv } from "../format.js";
import { pixels, svgDocument } from "../svg.js";
import { t } from "../speech.js";

/**
 * @param {import("../dom.js").Dom} dom
 * @param {() => Promise<{name: string, body: import("../svg.js").Body, table: (string | number)[][],
 *   subject: import("../dom.js").Phrase, legend: import("../legend.js").Legend,
 *   caption: import("../legend.js").Caption} | null>} currentView resolves once the map has come, null where it cannot be
 *   read; each part is made when it is read
 */
export const createSave = (dom, currentView) => async (/** @type {string} */ kind) => {
  const view = await currentView();
  if (!view) return;
  if (kind === "csv") {
    // The byte order mark tells spreadsheets that the file is UTF-8.
    download(`${view.name}.csv`, new Blob(["\ufeff", csv(view.table)], { type: "text/csv;charset=utf-8" }));
  } else {
    const [ink, muted, page] = ["--ink", "--muted", "--page"].map((name) => dom.colour(name));
    const { body, subject, legend, caption } = view;
    const drawn = new Blob([svgDocument(body, { subject, legends: [legend], caption, ink, muted, page })], {
      type: "image/svg+xml",
    });
    download(`${view.name}.${kind}`, kind === "svg" ? drawn : await pixels(drawn));
  }
  dom.say(t("{file} saved", { file: kind }));
};
