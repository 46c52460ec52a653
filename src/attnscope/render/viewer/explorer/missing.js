// Shown instead of a view whose map was left out of the file: its thumbnail, enlarged.

import { paintThumbnail, statisticsTable, thumbnailLegend, thumbnailShape } from "./overview.js";
import { image } from "../svg.js";

/** @param {import("./views.js").Context} context @returns {import("./views.js").View} */
export function createMissing({ dom, manifest, state, models, cache, failed }) {
  const canvas = /** @type {HTMLCanvasElement} */ (dom.part("outline"));

  async function draw() {
    if (!manifest.thumbnails) return;
    const [[layer, head]] = models.wanted(state);
    const [rows, columns] = thumbnailShape(manifest);
    const bytes = await cache.thumbnails();
    const start = (layer * manifest.heads.length + head) * rows * columns;
    paintThumbnail(canvas, bytes.subarray(start, start + rows * columns), rows, columns, models.paintOf(state));
  }

  return {
    needsMap: false,
    sourceName: () => models.mapSourceName(state),
    show: () => void draw().catch(failed),
    follow: () => undefined,
    legend: () => thumbnailLegend(state, models),
    svg() {
      const { width, height } = canvas.getBoundingClientRect();
      return { parts: [image(canvas, 0, 0, width, height)], width, height };
    },
    table: () => statisticsTable(manifest, state),
  };
}
