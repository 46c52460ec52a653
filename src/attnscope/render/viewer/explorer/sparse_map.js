// A map without its zeros: in a long text nearly all weights are too small for their eight bits.

/**
 * @typedef {{nq: number, nk: number, starts: Uint32Array, keys: Uint32Array, codes: Uint8Array | Uint16Array,
 *   levels: Float32Array, largest: Float32Array}} SparseMap
 * Row q has a weight for each key of keys[starts[q]] … keys[starts[q + 1] - 1], in order, and none for others. The weight
 * of entry i is levels[codes[i]] * largest[q].
 */

/** 0 … 65535 as shares. */
export const FINE = Float32Array.from({ length: 65536 }, (_, code) => code / 65535);

/** 0 … 32767 as shares, and from 32768 on as negative ones. */
export const FINE_SIGNED = Float32Array.from({ length: 65536 }, (_, code) =>
  code < 32768 ? code / 32767 : (32768 - code) / 32767,
);

/** Buffers for a map's rows, which are filled one after the other.
 * @template {Uint8Array | Uint16Array} C @param {number} nq @param {number} most entries @param {C} codes as many */
export const room = (nq, most, codes) => ({
  starts: new Uint32Array(nq + 1),
  largest: new Float32Array(nq),
  keys: new Uint32Array(most),
  codes,
});

/** The map of rows that have been filled. @param {ReturnType<typeof room>} rows @param {number} nk
 * @param {Float32Array} levels @returns {SparseMap} */
export function sparseMapOf({ starts, largest, keys, codes }, nk, levels) {
  const size = starts[largest.length];
  const cut = size < 0.75 * keys.length ? "slice" : "subarray"; // frees much unused memory
  return { nq: largest.length, nk, starts, keys: keys[cut](0, size), codes: codes[cut](0, size), levels, largest };
}

/** The code of a weight, 0 where there is none. @param {Pick<SparseMap, "starts" | "keys" | "codes">} map @param {number} q
 * @param {number} k */
export function codeAt({ starts, keys, codes }, q, k) {
  let [low, high] = [starts[q], starts[q + 1]];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle] < k) low = middle + 1;
    else high = middle;
  }
  return low < starts[q + 1] && keys[low] === k ? codes[low] : 0;
}

/** Adds a row's weights, times a factor. @param {Float32Array | Float64Array} sums @param {SparseMap} map @param {number} q
 * @param {number} factor @param {Int32Array | null} [columnOf] where the weight of each key belongs, if not to itself */
export function addRow(sums, { starts, keys, codes, levels, largest }, q, factor, columnOf = null) {
  const share = largest[q] * factor;
  for (let i = starts[q], end = starts[q + 1]; i < end; i++) {
    const k = keys[i];
    sums[columnOf ? columnOf[k] : k] += levels[codes[i]] * share;
  }
}
