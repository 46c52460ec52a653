// A map as pixels: cells as blocks, or, where many cells share a pixel, the largest of them, so that a single hot cell
// survives. Pure: no document.

/**
 * @typedef {{x: number, y: number, sx: number, sy: number}} Window
 * x, y: the cell in the upper left corner. sx, sy: pixels per cell.
 * @typedef {Pick<import("./sparse_map.js").SparseMap, "nk" | "starts" | "keys" | "codes" | "levels"> & {hidden: Uint8Array}} Cells
 */

/** For each pixel, the first cell on it and the first cell after it, within 0 … count.
 * @param {number} pixels @param {number} start @param {number} scale @param {number} count */
export function edges(pixels, start, scale, count) {
  const first = new Int32Array(pixels);
  const end = new Int32Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const from = Math.floor(start + i / scale + 1e-9);
    const to = Math.floor(start + (i + 1) / scale + 1e-9);
    first[i] = Math.max(0, Math.min(count, from));
    end[i] = from < 0 && to <= 0 ? 0 : Math.max(0, Math.min(count, Math.max(to, from + 1)));
  }
  return { first, end };
}

/**
 * A function that fills the lines `from` … `to` of `out` (height × width) with colours; call it from the top down.
 * @param {Cells} cells @param {Int32Array} rows the shown ones, in order @param {Int32Array} columns
 * @param {Float32Array} factors (row of the map,) what a share is multiplied by to lie from 0 to 1
 * @param {Window} window @param {number} width @param {number} height
 * @param {Uint8Array} table from a scaled value to a step @param {Uint32Array} colours @param {number} empty
 * @param {Uint32Array} out @param {boolean} [signed] the table begins at -1
 * @returns {(from: number, to: number) => void}
 */
export function painter(cells, rows, columns, factors, window, width, height, table, colours, empty, out, signed) {
  const across = edges(width, window.x, window.sx, columns.length);
  const down = edges(height, window.y, window.sy, rows.length);
  const last = table.length - 1;
  const most = new Float32Array(width);
  const spread = pixelsOf(across, columns, cells);
  return (from, to) => {
    for (let y = from; y < to; y++) {
      const line = y * width;
      if (down.first[y] >= down.end[y]) {
        out.fill(empty, line, line + width);
        continue;
      }
      if (y > 0 && down.first[y] === down.first[y - 1] && down.end[y] === down.end[y - 1]) {
        out.copyWithin(line, line - width, line);
        continue;
      }
      most.fill(0);
      for (let r = down.first[y]; r < down.end[y]; r++) {
        const row = rows[r];
        if (factors[row] > 0) strengthen(most, cells, row, factors[row], spread);
      }
      for (let x = 0; x < width; x++) {
        if (across.first[x] >= across.end[x]) out[line + x] = empty;
        else {
          const part = signed ? (most[x] + 1) / 2 : most[x];
          out[line + x] = colours[table[part >= 1 ? last : part <= 0 ? 0 : (part * last + 0.5) | 0]];
        }
      }
    }
  };
}

/** The other way round: for each key, its first pixel and the first pixel after it; none where it is out of sight.
 * @param {{first: Int32Array, end: Int32Array}} across @param {Int32Array} columns @param {Cells} cells */
function pixelsOf(across, columns, { nk, hidden }) {
  const first = new Int32Array(nk);
  const end = new Int32Array(nk);
  across.first.forEach((column, x) => {
    for (let c = column; c < across.end[x]; c++) {
      const k = columns[c];
      if (hidden[k]) continue;
      if (end[k] === 0) first[k] = x;
      end[k] = x + 1;
    }
  });
  return { first, end };
}

/**
 * Raises each pixel to the largest value of its cells in one row: largest without its sign.
 * @param {Float32Array} most @param {Cells} cells @param {number} row @param {number} factor
 * @param {{first: Int32Array, end: Int32Array}} spread
 */
function strengthen(most, { starts, keys, codes, levels }, row, factor, { first, end }) {
  for (let i = starts[row], stop = starts[row + 1]; i < stop; i++) {
    const k = keys[i];
    const value = levels[codes[i]] * factor;
    for (let x = first[k]; x < end[k]; x++) if (Math.abs(value) > Math.abs(most[x])) most[x] = value;
  }
}

/** The cell at a place, or -1 outside. @param {number} pixel @param {number} start @param {number} scale
 * @param {number} count */
export function cellAt(pixel, start, scale, count) {
  const cell = Math.floor(start + pixel / scale);
  return cell >= 0 && cell < count ? cell : -1;
}

/** Limits the start so that the map covers its frame, or begins at the frame's edge if it is smaller.
 * @param {number} start @param {number} scale @param {number} pixels @param {number} count */
export const held = (start, scale, pixels, count) => Math.max(0, Math.min(start, count - pixels / scale));

/** How many labels apart to write one, so that they are at least `least` pixels apart: 1, 2, 5, 10, …
 * @param {number} scale @param {number} least */
export function stride(scale, least) {
  for (let size = 1; ; size *= 10) for (const step of [1, 2, 5]) if (step * size * scale >= least) return step * size;
}
