// A map as pixels: cells as blocks, or, where many cells fall on a pixel, the largest of them, so that a single hot
// cell survives. Pure: no document.

/**
 * @typedef {{x: number, y: number, sx: number, sy: number}} Window
 * x, y: the cell in the upper left corner. sx, sy: pixels of a cell.
 * @typedef {{nk: number, codes: Uint8Array | Uint16Array, levels: Float32Array, hidden: Uint8Array, ends: number[]}} Cells
 * ends: of each row, the column from which on it has nothing.
 */

/** For each pixel the first cell and the first that is not of it, within 0 … count.
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
 * What fills the lines `from` … `to` of `out` (height × width) with colours; those before them are filled already.
 * @param {Cells} cells @param {Int32Array} rows the shown ones, in order @param {Int32Array} columns
 * @param {Float32Array} factors (row of the map,) what a share is multiplied by to lie from 0 to 1
 * @param {Window} window @param {number} width @param {number} height
 * @param {Uint8Array} table from a scaled value to a step @param {Uint32Array} colours @param {number} empty
 * @param {Uint32Array} out @returns {(from: number, to: number) => void}
 */
export function painter(cells, rows, columns, factors, window, width, height, table, colours, empty, out) {
  const { nk, codes, levels, hidden, ends } = cells;
  const across = edges(width, window.x, window.sx, columns.length);
  const down = edges(height, window.y, window.sy, rows.length);
  const last = table.length - 1;
  const most = new Float32Array(width);
  const spread = pixelsOf(across, columns, hidden);
  /** How many of the columns a row has anything in. @param {number} row */
  const filled = (row) => {
    let [low, high] = [0, columns.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (columns[middle] < ends[row]) low = middle + 1;
      else high = middle;
    }
    return low;
  };
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
        if (factors[row] > 0) strengthen(most, codes, levels, row * nk, factors[row], spread, filled(row), columns);
      }
      for (let x = 0; x < width; x++) {
        if (across.first[x] >= across.end[x]) out[line + x] = empty;
        else out[line + x] = colours[table[most[x] >= 1 ? last : (most[x] * last + 0.5) | 0]];
      }
    }
  };
}

/** The other way round: of each column the first pixel that has it and the first behind; none for hidden ones.
 * @param {{first: Int32Array, end: Int32Array}} across @param {Int32Array} columns @param {Uint8Array} hidden */
function pixelsOf(across, columns, hidden) {
  const first = new Int32Array(columns.length);
  const end = new Int32Array(columns.length);
  across.first.forEach((column, x) => {
    for (let c = column; c < across.end[x]; c++) {
      if (hidden[columns[c]]) continue;
      if (end[c] === 0) first[c] = x;
      end[c] = x + 1;
    }
  });
  return { first, end, from: across.first[0], to: across.end[across.end.length - 1] };
}

/**
 * Raises each pixel to the largest value of its cells in one row.
 * @param {Float32Array} most @param {Uint8Array | Uint16Array} codes @param {Float32Array} levels @param {number} base
 * @param {number} factor @param {{first: Int32Array, end: Int32Array, from: number, to: number}} spread
 * @param {number} count of the columns that the row has anything in @param {Int32Array} columns
 */
function strengthen(most, codes, levels, base, factor, { first, end, from, to }, count, columns) {
  for (let c = from, stop = Math.min(to, count); c < stop; c++) {
    const code = codes[base + columns[c]];
    if (code === 0) continue; // nearly all of a long text
    const value = levels[code] * factor;
    for (let x = first[c]; x < end[c]; x++) if (value > most[x]) most[x] = value;
  }
}

/** The cell at a place, or -1 outside. @param {number} pixel @param {number} start @param {number} scale
 * @param {number} count */
export function cellAt(pixel, start, scale, count) {
  const cell = Math.floor(start + pixel / scale);
  return cell >= 0 && cell < count ? cell : -1;
}

/** Kept so that the map covers its frame, or stands at its start where it is smaller.
 * @param {number} start @param {number} scale @param {number} pixels @param {number} count */
export const held = (start, scale, pixels, count) => Math.max(0, Math.min(start, count - pixels / scale));

/** Which of `count` labels are written, `least` pixels apart: every 1st, 2nd, 5th, 10th, …
 * @param {number} scale @param {number} least */
export function stride(scale, least) {
  for (let size = 1; ; size *= 10) for (const step of [1, 2, 5]) if (step * size * scale >= least) return step * size;
}
