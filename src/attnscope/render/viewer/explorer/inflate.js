// From the text of an element to a map: the format is described in ../README.md.

/**
 * @typedef {{nq: number, nk: number, codes: Uint8Array | Uint16Array, levels: Float32Array, largest: Float32Array,
 *   ends: number[]}} Grid
 * A weight is levels[codes[q * nk + k]] * largest[q]. ends: (query,) the key from which on a row has none.
 */

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
export function fromBase64(text) {
  const made = /** @type {any} */ (Uint8Array).fromBase64;
  if (made) return made.call(Uint8Array, text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<Uint8Array>} */
export async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** (code,) what each code stands for, as a share of the row's largest. @param {number} power @param {number} top */
export const levels = (power, top) =>
  Float32Array.from({ length: 256 }, (_, code) => Math.min(1, code / top) ** power);

/** How many of the keys stand at or before each query. @param {number[]} queries @param {number[]} keys */
export function lengths(queries, keys) {
  let length = 0;
  return queries.map((query) => {
    while (length < keys.length && keys[length] <= query) length++;
    return length;
  });
}

/** Sixteen bits of a float, little-endian. @param {number} half */
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
 * @param {number} nk @param {Float32Array} shares `levels` @returns {Grid}
 */
export function unpack(bytes, ends, nk, shares) {
  const nq = ends.length;
  const largest = new Float32Array(nq);
  const codes = new Uint8Array(nq * nk);
  const until = bytes[0] === 1 ? ends : ends.map(() => nk);
  let from = 2 + 2 * nq;
  for (let q = 0; q < nq; q++) {
    largest[q] = fromHalf(bytes[2 + 2 * q] | (bytes[3 + 2 * q] << 8));
    codes.set(bytes.subarray(from, from + until[q]), q * nk);
    from += until[q];
  }
  if (from !== bytes.length) throw new Error(`a map has ${bytes.length} bytes where ${from} were expected`);
  return { nq, nk, codes, levels: shares, largest, ends: until };
}
