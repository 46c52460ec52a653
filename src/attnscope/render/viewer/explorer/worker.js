// The thread beside the page: maps are decoded, pooled and measured here, so that the page never waits for them.

import { fromBase64, inflate, lengths, levels, unpack } from "./inflate.js";
import { measured, pooled, rollout } from "./measure.js";

/**
 * @typedef {import("./grid.js").Grid} Grid
 * @typedef {{nq: number, nk: number, rowOf: Int32Array | null, columnOf: Int32Array | null,
 *   specialQueries: Uint8Array, left: Uint8Array, hideSinks: boolean}} Units
 * rowOf, columnOf: null where units are the tokens themselves.
 * @typedef {{queries: number[], keys: number[], power: number, top: number}} Setup
 */

/** A map from its element's text. @param {string} text @param {Setup} setup */
async function decoded(text, setup) {
  const ends = lengths(setup.queries, setup.keys);
  return unpack(await inflate(fromBase64(text)), ends, setup.keys.length, levels(setup.power, setup.top));
}

/** The mean of the maps, in units, measured. @param {string[]} texts @param {Units} units @param {Setup} setup */
async function grid(texts, units, setup) {
  const grids = await Promise.all(texts.map((text) => decoded(text, setup)));
  const { nq, nk, rowOf, columnOf } = units;
  const plain = grids.length === 1 && !rowOf && !columnOf;
  const rows = rowOf ?? Int32Array.from({ length: nq }, (_, i) => i);
  const columns = columnOf ?? Int32Array.from({ length: nk }, (_, i) => i);
  const made = plain ? grids[0] : pooled(grids, rows, columns, nq, nk);
  return measured(made, units.specialQueries, units.left, units.hideSinks);
}

/** Layers' means, kept for rollout. @type {Map<number, Grid>} */
const means = new Map();

/** @param {any} message @param {Setup} setup @returns {Promise<any>} */
export async function answer(message, setup) {
  if (message.job === "grid") return grid(message.texts, message.units, setup);
  if (message.job === "layer") {
    const same = Int32Array.from({ length: setup.keys.length }, (_, i) => i);
    const grids = await Promise.all(message.texts.map((/** @type {string} */ text) => decoded(text, setup)));
    means.set(message.layer, pooled(grids, same, same, same.length, same.length));
    return true;
  }
  const layers = [...means.keys()].sort((a, b) => a - b).map((layer) => /** @type {Grid} */ (means.get(layer)));
  return rollout(layers, message.query, message.residual);
}

if (typeof document === "undefined" && typeof self !== "undefined") {
  /** @type {Setup} */
  let setup;
  /** One after the other: the answers come in the order of the questions. */
  let last = Promise.resolve();
  self.onmessage = ({ data }) => {
    last = last.then(async () => {
      if (data.job === "setup") setup = data.setup;
      else {
        try {
          const result = await answer(data, setup);
          const buffers = [result.starts, result.keys, result.codes, result.largest].filter(ArrayBuffer.isView).map((array) => array.buffer);
          self.postMessage({ id: data.id, result }, { transfer: buffers });
        } catch (error) {
          self.postMessage({ id: data.id, error: String(error) });
        }
      }
    });
  };
}
