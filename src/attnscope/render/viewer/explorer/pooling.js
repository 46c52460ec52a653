// What the worker does with maps: pooling tokens into words, means of several heads, sums and largest values, rollout.

import { addRow, FINE, FINE_SIGNED, room, sparseMapOf } from "./sparse_map.js";

/** @typedef {import("./sparse_map.js").SparseMap} SparseMap */
/** @typedef {Omit<SparseMap, "levels"> & {peaks: Float32Array, sums: Float32Array, totals: Float32Array, received: Float32Array,
 *   hidden: Uint8Array, sinks: number[]}} MeasuredMap
 * peaks, sums: (query,) over what is shown, without signs; totals: over everything. received: (key,) the mean over queries that are
 * not special. hidden: (key,) 1 where a key is left out; sinks: the keys that are hidden as attention sinks. Levels
 * follow from the type of the codes. */

/** An attention sink takes at least this much from the mean query, and this many times its even share. */
export const SINK_SHARE = 0.1;
export const SINK_TIMES = 8;

/**
 * The mean of maps, with units for tokens: a sum over a unit's keys, a mean over its queries; in 16 bits of each row's
 * largest.
 * @param {SparseMap[]} maps @param {Int32Array} rowOf the unit of each query @param {Int32Array} columnOf of each key
 * @param {number} nq units @param {number} nk @param {boolean} [signed] @returns {SparseMap}
 */
export function pooled(maps, rowOf, columnOf, nq, nk, signed = false) {
  const most = maps.reduce((sum, { keys }) => sum + keys.length, 0);
  const rows = room(nq, most, new Uint16Array(most));
  /** @type {number[][]} */
  const members = Array.from({ length: nq }, () => []);
  rowOf.forEach((unit, q) => members[unit].push(q));
  const row = new Float64Array(nk);
  const met = new Uint32Array(nk);
  const isMet = new Uint8Array(nk); // a sum of both signs may be 0
  let size = 0;
  members.forEach((queries, unit) => {
    let [count, last, inOrder] = [0, -1, true];
    for (const { starts, keys, codes, levels, largest } of maps) {
      for (const q of queries) {
        const factor = largest[q] / queries.length / maps.length;
        for (let i = starts[q]; i < starts[q + 1]; i++) {
          const column = columnOf[keys[i]];
          if (isMet[column] === 0) {
            isMet[column] = 1;
            met[count++] = column;
            inOrder &&= column > last;
            last = column;
          }
          row[column] += levels[codes[i]] * factor;
        }
      }
    }
    if (!inOrder) met.subarray(0, count).sort();
    let largest = 0;
    for (let c = 0; c < count; c++) largest = Math.max(largest, Math.abs(row[met[c]]));
    const scale = (signed ? 32767 : 65535) / largest;
    for (let c = 0; c < count; c++) {
      const column = met[c];
      const negative = row[column] < 0;
      const code = (Math.abs(row[column]) * scale + 0.5) | 0;
      row[column] = isMet[column] = 0;
      if (code === 0) continue;
      rows.keys[size] = column;
      rows.codes[size++] = negative ? 32768 + code : code;
    }
    rows.starts[unit + 1] = size;
    rows.largest[unit] = largest;
  });
  return sparseMapOf(rows, nk, signed ? FINE_SIGNED : FINE);
}

/**
 * @param {SparseMap} map @param {Uint8Array} specialQueries (query,) 1 where special @param {Uint8Array} left (key,) 1 where
 * a key is left out @param {boolean} hideSinks @returns {MeasuredMap}
 */
export function measured(map, specialQueries, left, hideSinks) {
  const { nq, nk, starts, keys, codes, largest, levels } = map;
  const received = new Float32Array(nk);
  let averaged = 0;
  for (let q = 0; q < nq; q++) {
    if (specialQueries[q]) continue;
    averaged++;
    addRow(received, map, q, 1);
  }
  for (let k = 0; k < nk; k++) received[k] /= averaged || 1;
  const hidden = Uint8Array.from(left);
  const least = Math.max(SINK_SHARE, SINK_TIMES / nk);
  /** @type {number[]} */
  const sinks = [];
  if (hideSinks) received.forEach((share, k) => share >= least && !left[k] && sinks.push(k));
  for (const k of sinks) hidden[k] = 1;
  const [peaks, sums, totals] = [new Float32Array(nq), new Float32Array(nq), new Float32Array(nq)];
  for (let q = 0; q < nq; q++) {
    let [most, sum, out] = [0, 0, 0];
    for (let i = starts[q]; i < starts[q + 1]; i++) {
      const share = Math.abs(levels[codes[i]]);
      if (hidden[keys[i]] === 1) out += share;
      else {
        sum += share;
        if (share > most) most = share;
      }
    }
    peaks[q] = most * largest[q];
    sums[q] = sum * largest[q];
    totals[q] = (sum + out) * largest[q];
  }
  return { nq, nk, starts, keys, codes, largest, peaks, sums, totals, received, hidden, sinks };
}

/**
 * Abnar & Zuidema's rollout (2020) of one query, from the top layer down: a vector times each layer's mean over heads,
 * with the residual connection mixed in.
 * @param {SparseMap[]} layers bottom first, (token, token) @param {number[]} query tokens to average over
 * @param {number} residual @returns {Float32Array[]} the vector after each layer, the top first
 */
export function rollout(layers, query, residual) {
  let row = new Float32Array(layers[0].nk);
  for (const token of query) row[token] += 1 / query.length;
  const rows = [];
  for (let layer = layers.length - 1; layer >= 0; layer--) {
    const map = layers[layer];
    const { starts, codes, levels, largest } = map;
    const lower = new Float32Array(map.nk);
    for (let q = 0; q < map.nq; q++) {
      if (row[q] === 0) continue;
      let total = 0;
      for (let i = starts[q]; i < starts[q + 1]; i++) total += levels[codes[i]];
      const share = row[q] / (total * largest[q] * (1 - residual) + residual);
      addRow(lower, map, q, share * (1 - residual));
      lower[q] += share * residual;
    }
    row = lower;
    rows.push(row);
  }
  return rows;
}
