// What a worker does with maps: words for tokens, means of several heads, sums and largest values, rollout.

/** @typedef {import("./inflate.js").Grid} Grid */
/** @typedef {Omit<Grid, "levels"> & {peaks: Float32Array, sums: Float32Array, totals: Float32Array, received: Float32Array,
 *   hidden: Uint8Array, sinks: number[]}} Measured
 * peaks, sums: (query,) of what is shown; totals: of everything. received: (key,) mean over queries that are not
 * special. hidden: (key,) 1 where a key is left out; sinks: those that are hidden as sinks. Levels follow from the
 * type of the codes. */

/** 0 … 65535 as shares. */
export const FINE = Float32Array.from({ length: 65536 }, (_, code) => code / 65535);
/** A sink takes so much from the mean query, and so many times its even share. */
export const SINK_SHARE = 0.1;
export const SINK_TIMES = 8;

/** (query, key) weights -> a grid in 16 bits of each row's largest. @param {Float32Array} values
 * @param {number} nq @param {number} nk @param {number[]} ends @returns {Grid} */
export function fine(values, nq, nk, ends) {
  const codes = new Uint16Array(nq * nk);
  const largest = Float32Array.from(ends, (end, q) => coded(values.subarray(q * nk, (q + 1) * nk), end, codes, q * nk));
  return { nq, nk, codes, levels: FINE, largest, ends };
}

/**
 * The mean of grids, with units for tokens: a sum over a unit's keys, a mean over its queries.
 * @param {Grid[]} grids @param {Int32Array} rowOf the unit of each query @param {Int32Array} columnOf of each key
 * @param {number} nq units @param {number} nk @returns {Grid}
 */
export function pooled(grids, rowOf, columnOf, nq, nk) {
  const made = { nq, nk, codes: new Uint16Array(nq * nk), levels: FINE, largest: new Float32Array(nq), ends: new Array(nq).fill(0) };
  /** Behind the last unit of the keys up to each. */
  let last = 0;
  const until = Array.from(columnOf, (unit) => (last = Math.max(last, unit + 1)));
  /** @type {number[][]} */
  const members = Array.from({ length: nq }, () => []);
  rowOf.forEach((unit, q) => members[unit].push(q));
  // A row at a time: it stays in the processor's cache.
  const row = new Float64Array(nk);
  members.forEach((queries, unit) => {
    let end = 0;
    for (const grid of grids) {
      for (const q of queries) {
        add(row, grid, q, grid.largest[q] / queries.length / grids.length, columnOf);
        if (grid.ends[q] > 0) end = Math.max(end, until[grid.ends[q] - 1]);
      }
    }
    made.ends[unit] = end;
    made.largest[unit] = coded(row, end, made.codes, unit * nk);
    row.fill(0, 0, end);
  });
  return made;
}

/** Adds a row's weights, times a factor. @param {Float64Array} row @param {Grid} grid @param {number} q
 * @param {number} factor @param {Int32Array} columnOf where the weight of each key belongs */
function add(row, { codes, levels, nk, ends }, q, factor, columnOf) {
  for (let k = 0, i = q * nk, end = ends[q]; k < end; k++, i++) {
    const code = codes[i];
    if (code !== 0) row[columnOf[k]] += levels[code] * factor;
  }
}

/** A row as shares of its largest in sixteen bits; gives the largest. @param {Float32Array | Float64Array} row
 * @param {number} end @param {Uint16Array} codes @param {number} at where in the codes it begins */
function coded(row, end, codes, at) {
  let most = 0;
  for (let k = 0; k < end; k++) if (row[k] > most) most = row[k];
  const factor = most > 0 ? 65535 / most : 0;
  for (let k = 0; k < end; k++) if (row[k] !== 0) codes[at + k] = row[k] * factor + 0.5;
  return most;
}

/**
 * @param {Grid} grid @param {Uint8Array} specialQueries (query,) 1 where special @param {Uint8Array} left (key,) 1 where
 * a key is left out @param {boolean} hideSinks @returns {Measured}
 */
export function measured(grid, specialQueries, left, hideSinks) {
  const { nq, nk, codes, largest, ends } = grid;
  const received = new Float32Array(nk);
  const sums = sumsOf(grid, left, received, specialQueries);
  const shown = specialQueries.reduce((count, special) => count - special, nq);
  for (let k = 0; k < nk; k++) received[k] /= shown || 1;
  /** @type {number[]} */
  const sinks = [];
  const least = Math.max(SINK_SHARE, SINK_TIMES / nk);
  if (hideSinks) received.forEach((share, k) => share >= least && !left[k] && sinks.push(k));
  const hidden = Uint8Array.from(left);
  for (const k of sinks) hidden[k] = 1;
  return { nq, nk, codes, largest, ends, received, hidden, sinks, ...(sinks.length ? sumsOf(grid, hidden) : sums) };
}

/** Of each row the largest and the sum of what is shown, and the sum of all.
 * @param {Grid} grid @param {Uint8Array} hidden (key,) @param {Float32Array | null} [received] (key,) to which the weights
 * are added @param {Uint8Array | null} [but] (query,) 1 where they are not */
function sumsOf({ nq, nk, codes, levels, largest, ends }, hidden, received = null, but = null) {
  const [peaks, sums, totals] = [new Float32Array(nq), new Float32Array(nq), new Float32Array(nq)];
  for (let q = 0; q < nq; q++) {
    let [most, sum, out] = [0, 0, 0];
    const factor = but?.[q] === 1 ? 0 : largest[q];
    for (let k = 0, i = q * nk, end = ends[q]; k < end; k++, i++) {
      const code = codes[i];
      if (code === 0) continue; // nearly all of a long text
      const share = levels[code];
      if (received) received[k] += share * factor;
      if (hidden[k] === 1) out += share;
      else {
        sum += share;
        if (share > most) most = share;
      }
    }
    peaks[q] = most * largest[q];
    sums[q] = sum * largest[q];
    totals[q] = (sum + out) * largest[q];
  }
  return { peaks, sums, totals };
}

/**
 * Abnar & Zuidema's rollout (2020) of one query, from the top layer down: a vector through each layer's mean of heads,
 * half of it past the layer by the residual connection.
 * @param {Grid[]} layers bottom first, (token, token) @param {number[]} query tokens, of which the mean is taken
 * @param {number} residual @returns {Float32Array[]} after each layer, the top first
 */
export function rollout(layers, query, residual) {
  let row = new Float32Array(layers[0].nk);
  for (const token of query) row[token] += 1 / query.length;
  const rows = [];
  for (let layer = layers.length - 1; layer >= 0; layer--) {
    const { nk, codes, levels, largest } = layers[layer];
    const lower = new Float32Array(nk);
    for (let q = 0; q < nk; q++) {
      if (row[q] === 0) continue;
      let total = 0;
      const start = q * nk;
      for (let k = 0; k < nk; k++) total += levels[codes[start + k]];
      const share = row[q] / (total * largest[q] * (1 - residual) + residual);
      const factor = share * largest[q] * (1 - residual);
      for (let k = 0; k < nk; k++) if (codes[start + k] !== 0) lower[k] += levels[codes[start + k]] * factor;
      lower[q] += share * residual;
    }
    row = lower;
    rows.push(row);
  }
  return rows;
}
