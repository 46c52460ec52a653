// Maps on demand, from the source through the worker; the last two dozen are cached.

import { levels } from "./decode.js";
import { inflated } from "../inflate.js";
import { FINE, FINE_SIGNED } from "./sparse_map.js";
import { createAnswer } from "./worker.js";
import { later } from "../speech.js";

/**
 * @typedef {import("./worker.js").Units} Units
 * @typedef {import("./pooling.js").MeasuredMap & {levels: Float32Array}} CachedMap
 * @typedef {[number, number]} Place  the places of a layer and a head among those of the manifest
 * @typedef {ReturnType<typeof createMapCache>} MapCache
 */

/** MOST maps are cached; if they are large, as many as fit into ROOM bytes, but at least LEAST. */
const [MOST, LEAST, ROOM] = [24, 6, 220e6];

/** A worker thread that has not answered after so many milliseconds never will. */
const PATIENCE = 5000;

/**
 * Asks the worker thread. Where a page may not have one, it does the work itself: hosts forbid workers by an exception,
 * by an `error` event, or by a thread that never answers.
 * @param {string | null} code null: the page does the work itself @param {import("./worker.js").Setup} setup
 * @param {() => void} lost told that what earlier questions have left in the thread is gone
 * @returns {(message: Record<string, unknown>) => Promise<any>}
 */
export function startWorker(code, setup, lost) {
  /** @typedef {{message: Record<string, unknown>, resolve: (value: any) => void, reject: (reason: Error) => void}} Question */
  /** @type {Map<number, Question>} */
  const waiting = new Map();
  let lastId = 0;
  /** @type {Worker | null} */
  let worker = null;
  /** @type {((message: any) => Promise<any>) | null} */
  let answer = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function workHere() {
    if (answer) return;
    clearTimeout(timer);
    worker?.terminate();
    worker = null;
    answer = createAnswer(setup);
    lost();
    for (const { message, resolve, reject } of waiting.values()) answer(message).then(resolve, reject);
    waiting.clear();
  }

  try {
    if (code === null) throw new Error("no thread is wanted");
    worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    worker.onerror = (event) => {
      event.preventDefault(); // it is dealt with: no line in the console
      workHere();
    };
    worker.onmessageerror = workHere;
    worker.onmessage = ({ data }) => {
      clearTimeout(timer);
      const question = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.error) question?.reject(new Error(data.error));
      else question?.resolve(data.result);
    };
    worker.postMessage({ job: "setup", setup });
    timer = setTimeout(workHere, PATIENCE);
  } catch {
    workHere();
  }
  return (message) => {
    if (answer) return answer(message);
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      waiting.set(id, { message, resolve, reject });
      worker?.postMessage({ ...message, id });
    });
  };
}

/** @param {import("../source.js").MapSource} source */
export function createMapCache(source) {
  const { manifest } = source;
  const setup = { queries: manifest.queries, keys: manifest.keys, ...manifest.coding };
  const shares = levels(setup.power, setup.top, setup.signed);
  const fine = setup.signed ? FINE_SIGNED : FINE;
  /** @type {Promise<unknown> | null} */
  let layerMeans = null;
  const ask = startWorker(source.workerCode, setup, () => (layerMeans = null));
  /** @type {Map<string, CachedMap | Promise<CachedMap>>} */
  const cache = new Map();
  /** @type {Promise<Uint8Array> | null} */
  let thumbnails = null;

  /** @param {Place[]} places */
  const streams = (places) => Promise.all(places.map(([layer, head]) => source.map(layer, head)));

  /** @param {CachedMap | Promise<CachedMap>} entry */
  const bytes = (entry) => (entry instanceof Promise ? 0 : entry.keys.byteLength + entry.codes.byteLength);

  /** Drops the oldest maps. */
  function trim() {
    let taken = [...cache.values()].reduce((sum, entry) => sum + bytes(entry), 0);
    for (const [old, entry] of cache) {
      if (cache.size <= LEAST || (cache.size <= MOST && taken <= ROOM)) break;
      taken -= bytes(entry);
      cache.delete(old);
    }
  }

  return {
    /** Whether a map is in the data, or may still come while the file is being read. @param {Place} place */
    isHere: ([layer, head]) =>
      manifest.thumbnails && !manifest.missing.includes(manifest.layers[layer]) && head < manifest.heads.length,

    /** The mean of the maps at `places`, in units. @param {string} name @param {Place[]} places @param {Units} units
     * @returns {Promise<CachedMap>} */
    map(name, places, units) {
      const known = cache.get(name);
      if (known) {
        cache.delete(name); // the most recently used go last
        cache.set(name, known);
        return Promise.resolve(known);
      }
      const promise = (async () => {
        const measured = await ask({ job: "map", streams: await streams(places), units });
        return { ...measured, levels: measured.codes instanceof Uint16Array ? fine : shares };
      })();
      cache.set(name, promise);
      promise.then(
        (map) => {
          if (cache.has(name)) cache.set(name, map);
          trim();
        },
        () => cache.delete(name),
      );
      return promise;
    },

    /** A map that is cached already, or undefined. @param {string} name @returns {CachedMap | undefined} */
    atOnce(name) {
      const known = cache.get(name);
      return known instanceof Promise ? undefined : known;
    },

    /** The rollout of a query, from the top layer down. The first call decodes every map.
     * @param {number[]} query tokens @returns {Promise<Float32Array[]>} */
    async rollout(query) {
      const layers = manifest.layers.length;
      for (;;) {
        const begun = (layerMeans ??= (async () => {
          for (let layer = 0; layer < layers; layer++) {
            const places = manifest.heads.map((_, head) => /** @type {Place} */ ([layer, head]));
            await ask({ job: "layer", layer, streams: await streams(places) });
          }
        })());
        await begun;
        try {
          return await ask({ job: "rollout", query, residual: 0.5, layers });
        } catch (error) {
          if (layerMeans === begun) throw error; // else the thread was lost after it had read some layers
        }
      }
    },

    /** Why rollout is not possible; empty where it is. */
    noRollout() {
      const { kind, layers, heads, queries, keys, sides } = manifest;
      if (kind === "cross")
        return later("Rollout follows the attention of one text to itself; this is from one text to another.");
      if (manifest.coding.signed) return later("Rollout follows shares; the weights of linear attention are signed.");
      if (!manifest.thumbnails) return later("The maps themselves were not kept, only statistics.");
      const all = sides[0].tokens.length;
      if (manifest.missing.length) return later("Layers were left out to keep this file small.");
      if (queries.length < all || keys.length < all) return later("Not all queries and keys were kept.");
      if (layers.some((layer, i) => layer !== i)) return later("Not all layers below the last one were kept.");
      if (heads.some((head, i) => head !== i)) return later("Not all heads were kept.");
      return "";
    },

    /** The thumbnails of all maps. */
    thumbnails: () => (thumbnails ??= source.thumbnails().then(inflated)),
  };
}
