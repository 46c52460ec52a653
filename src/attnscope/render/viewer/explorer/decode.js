// Decodes a stream to a map; ../README.md describes the format.

import { room, sparseMapOf } from "./sparse_map.js";

/** (code,) The value of each code, as a share of the row's largest. Signed: codes from 129 on are those from 1 on, negative.
 * @param {number} power @param {number} top @param {boolean} [signed] */
export const levels = (power, top, signed = false) =>
  Float32Array.from({ length: 256 }, (_, code) => {
    const negative = signed && code >= 128;
    return (negative ? -1 : 1) * Math.min(1, (negative ? code - 128 : code) / top) ** power;
  });

/** How many of the keys are at or before each query. @param {number[]} queries @param {number[]} keys */
export function lengths(queries, keys) {
  let length = 0;
  return queries.map((query) => {
    while (length < keys.length && keys[length] <= query) length++;
    return length;
  });
}

/** The value of a 16-bit float. @param {number} half */
export function fromHalf(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * @param {Uint8Array} bytes what `inflate` gave @param {number[]} ends of each row, if it ends at its query
 * @param {number} nk @param {Float32Array} shares `levels` @returns {import("./sparse_map.js").SparseMap}
 */
export function unpack(bytes, ends, nk, shares) {
  const nq = ends.length;
  const until = bytes[0] === 1 ? ends : ends.map(() => nk);
  let from = 2 + 2 * nq;
  const length = until.reduce((sum, end) => sum + end, from);
  if (length !== bytes.length) throw new Error(`a map has ${bytes.length} bytes where ${length} were expected`);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  const first = Math.max(nk, length >> 3);
  const { starts, largest, ...rows } = room(nq, first, new Uint8Array(first));
  let { keys, codes } = rows;
  let size = 0;
  for (let q = 0; q < nq; q++) {
    const end = from + until[q];
    if (size + until[q] > keys.length) {
      keys = longer(keys, new Uint32Array(2 * keys.length));
      codes = longer(codes, new Uint8Array(2 * codes.length));
    }
    for (let i = from; i < end; i++) {
      if ((i & 3) === 0) {
        // Zeros are skipped four at a time.
        const stop = end >> 2;
        let word = i >> 2;
        while (word < stop && words[word] === 0) word++;
        i = Math.max(i, word << 2);
        if (i === end) break;
      }
      if (bytes[i] === 0) continue;
      keys[size] = i - from;
      codes[size++] = bytes[i];
    }
    starts[q + 1] = size;
    largest[q] = fromHalf(bytes[2 + 2 * q] | (bytes[3 + 2 * q] << 8));
    from = end;
  }
  return sparseMapOf({ starts, largest, keys, codes }, nk, shares);
}

/** @template {Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>} A @param {A} array @param {A} into @returns {A} */
function longer(array, into) {
  into.set(array);
  return into;
}
