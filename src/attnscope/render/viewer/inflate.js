// Deflated bytes, in base64 or not, as they stand in a page.

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
export function fromBase64(text) {
  const native = /** @type {any} */ (Uint8Array).fromBase64;
  if (native) return native.call(Uint8Array, text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<Uint8Array>} */
export async function inflate(bytes) {
  if (typeof DecompressionStream === "undefined")
    throw new Error(
      "this browser is too old to unpack it (it has no DecompressionStream): open the page in a newer one",
    );
  const { readable, writable } = new DecompressionStream("deflate-raw");
  const writer = writable.getWriter();
  // If the bytes are damaged, reading rejects as well.
  void writer.write(bytes).catch(() => undefined);
  void writer.close().catch(() => undefined);
  const parts = [];
  let length = 0;
  for (const reader = readable.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
  }
  const whole = new Uint8Array(length);
  let from = 0;
  for (const part of parts) {
    whole.set(part, from);
    from += part.length;
  }
  return whole;
}

/** The bytes of a stream. @param {import("./source.js").Stream} stream */
export const inflated = (stream) => inflate(typeof stream === "string" ? fromBase64(stream) : stream);
