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
  const largest = new Float32Array(nq);
  for (let q = 0, i = 0; q < nq; q++) {
    let most = 0;
    for (let k = 0; k < ends[q]; k++) if (values[i + k] > most) most = values[i + k];
    largest[q] = most;
    const factor = most > 0 ? 65535 / most : 0;
    for (let k = 0; k < ends[q]; k++) codes[i + k] = values[i + k] * factor + 0.5;
    i += nk;
  }
  return { nq, nk, codes, levels: FINE, largest, ends };
}

/**
 * The mean of grids, with units for tokens: a sum over a unit's keys, a mean over its queries.
 * @param {Grid[]} grids @param {Int32Array} rowOf the unit of each query @param {Int32Array} columnOf of each key
 * @param {number} nq units @param {number} nk @returns {Grid}
 */
export function pooled(grids, rowOf, columnOf, nq, nk) {
  const values = new Float32Array(nq * nk);
  const counts = new Float32Array(nq);
  const ends = new Array(nq).fill(0);
  /** Behind the last unit of the keys up to each. */
  let last = 0;
  const until = Array.from(columnOf, (unit) => (last = Math.max(last, unit + 1)));
  for (const unit of rowOf) counts[unit]++;
  for (const grid of grids) {
    for (let q = 0; q < grid.nq; q++) {
      const to = rowOf[q] * nk;
      const factor = grid.largest[q] / counts[rowOf[q]] / grids.length;
      const { codes, levels } = grid;
      for (let k = 0, i = q * grid.nk; k < grid.ends[q]; k++, i++) {
        if (codes[i] !== 0) values[to + columnOf[k]] += levels[codes[i]] * factor;
      }
      if (grid.ends[q] > 0) ends[rowOf[q]] = Math.max(ends[rowOf[q]], until[grid.ends[q] - 1]);
    }
  }
  return fine(values, nq, nk, ends);
}

/**
 * @param {Grid} grid @param {Uint8Array} specialQueries (query,) 1 where special @param {Uint8Array} left (key,) 1 where
 * a key is left out @param {boolean} hideSinks @returns {Measured}
 */
export function measured(grid, specialQueries, left, hideSinks) {
  const { nq, nk, codes, levels, largest, ends } = grid;
  const received = new Float32Array(nk);
  let shown = 0;
  for (let q = 0; q < nq; q++) {
    if (specialQueries[q]) continue;
    shown++;
    const factor = largest[q];
    for (let k = 0, i = q * nk; k < ends[q]; k++, i++) if (codes[i] !== 0) received[k] += levels[codes[i]] * factor;
  }
  for (let k = 0; k < nk; k++) received[k] /= shown || 1;
  const hidden = Uint8Array.from(left);
  const least = Math.max(SINK_SHARE, SINK_TIMES / nk);
  /** @type {number[]} */
  const sinks = [];
  if (hideSinks) received.forEach((share, k) => share >= least && !left[k] && sinks.push(k));
  for (const k of sinks) hidden[k] = 1;
  const some = hidden.includes(1);
  const [peaks, sums, totals] = [new Float32Array(nq), new Float32Array(nq), new Float32Array(nq)];
  for (let q = 0; q < nq; q++) {
    let [most, sum, total] = [0, 0, 0];
    for (let k = 0, i = q * nk; k < ends[q]; k++, i++) {
      if (codes[i] === 0) continue;
      const share = levels[codes[i]];
      total += share;
      if (some && hidden[k]) continue;
      sum += share;
      if (share > most) most = share;
    }
    peaks[q] = most * largest[q];
    sums[q] = sum * largest[q];
    totals[q] = total * largest[q];
  }
  return { nq, nk, codes, largest, ends, peaks, sums, totals, received, hidden, sinks };
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
