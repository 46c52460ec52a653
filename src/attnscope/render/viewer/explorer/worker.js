// The page's worker thread: maps are decoded, pooled and measured here, so that the page never waits for them.

import { lengths, levels, unpack } from "./decode.js";
import { inflated } from "../inflate.js";
import { measured, pooled, rollout } from "./pooling.js";

/**
 * @typedef {import("./sparse_map.js").SparseMap} SparseMap
 * @typedef {import("../source.js").Stream} Stream
 * @typedef {{nq: number, nk: number, rowOf: Int32Array | null, columnOf: Int32Array | null,
 *   specialQueries: Uint8Array, left: Uint8Array, hideSinks: boolean}} Units
 * rowOf, columnOf: null where units are the tokens themselves.
 * @typedef {{queries: number[], keys: number[], power: number, top: number, signed?: boolean}} Setup
 */

/** A map from its stream. @param {Stream} stream @param {Setup} setup */
async function decoded(stream, { queries, keys, power, top, signed }) {
  return unpack(await inflated(stream), lengths(queries, keys), keys.length, levels(power, top, signed));
}

/** The mean of the maps, in units, measured. @param {Stream[]} streams @param {Units} units @param {Setup} setup */
async function measuredMean(streams, units, setup) {
  const maps = await Promise.all(streams.map((stream) => decoded(stream, setup)));
  const { nq, nk, rowOf, columnOf } = units;
  const plain = maps.length === 1 && !rowOf && !columnOf;
  const rows = rowOf ?? Int32Array.from({ length: nq }, (_, i) => i);
  const columns = columnOf ?? Int32Array.from({ length: nk }, (_, i) => i);
  return measured(
    plain ? maps[0] : pooled(maps, rows, columns, nq, nk, setup.signed),
    units.specialQueries,
    units.left,
    units.hideSinks,
  );
}

/** A function that answers the questions of one viewer. @param {Setup} setup
 * @returns {(message: any) => Promise<any>} */
export function createAnswer(setup) {
  /** The means of layers, cached for rollout. @type {Map<number, SparseMap>} */
  const means = new Map();
  return async (message) => {
    if (message.job === "map") return measuredMean(message.streams, message.units, setup);
    if (message.job === "layer") {
      const same = Int32Array.from({ length: setup.keys.length }, (_, i) => i);
      const maps = await Promise.all(message.streams.map((/** @type {Stream} */ stream) => decoded(stream, setup)));
      means.set(message.layer, pooled(maps, same, same, same.length, same.length));
      return true;
    }
    if (means.size < message.layers) throw new Error("the thread that had read the layers is gone: ask again");
    const layers = [...means.keys()].sort((a, b) => a - b).map((layer) => /** @type {SparseMap} */ (means.get(layer)));
    return rollout(layers, message.query, message.residual);
  };
}

if (typeof document === "undefined" && typeof self !== "undefined") {
  /** @type {(message: any) => Promise<any>} */
  let answer;
  /** One at a time, so that answers come in the order of the questions. */
  let last = Promise.resolve();
  self.onmessage = ({ data }) => {
    last = last.then(async () => {
      if (data.job === "setup") {
        answer = createAnswer(data.setup);
        self.postMessage({ ready: true });
      } else {
        try {
          const result = await answer(data);
          const buffers = [result.starts, result.keys, result.codes, result.largest]
            .filter(ArrayBuffer.isView)
            .map((array) => array.buffer);
          self.postMessage({ id: data.id, result }, { transfer: buffers });
        } catch (error) {
          self.postMessage({ id: data.id, error: String(error) });
        }
      }
    });
  };
}
