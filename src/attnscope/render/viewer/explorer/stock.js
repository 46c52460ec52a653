// Maps on demand: from their elements through the worker, the last two dozen kept.

import { front } from "./front.js";
import { byId } from "../page.js";
import { fromBase64, inflate, levels } from "./inflate.js";
import { FINE } from "./grid.js";
import { answer } from "./worker.js";

/**
 * @typedef {import("./worker.js").Units} Units
 * @typedef {import("./measure.js").Measured & {levels: Float32Array}} Stocked
 * @typedef {[number, number]} Place  of a layer and a head among those kept
 */

/** Two dozen maps are kept; of maps that take much as many as ROOM holds, but six. */
const [MOST, LEAST, ROOM] = [24, 6, 220e6];
const setup = { queries: front.queries, keys: front.keys, ...front.coding };
const shares = levels(setup.power, setup.top);

/** @type {Map<number, {resolve: (value: any) => void, reject: (reason: Error) => void}>} */
const waiting = new Map();
let asked = 0;
/** @type {Worker | null} */
let worker = null;

function start() {
  try {
    const source = new Blob([byId("worker").textContent ?? ""], { type: "text/javascript" });
    const made = new Worker(URL.createObjectURL(source));
    made.onmessage = ({ data }) => {
      const one = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.error) one?.reject(new Error(data.error));
      else one?.resolve(data.result);
    };
    made.postMessage({ job: "setup", setup });
    worker = made;
  } catch {
    worker = null; // a frame that may not have one: the page then does the work itself
  }
}
start();

/** @param {Record<string, unknown>} message @returns {Promise<any>} */
export function ask(message) {
  if (!worker) return answer(message, setup);
  const id = ++asked;
  worker.postMessage({ ...message, id });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

/** Whether a map is in the file, or may still come while the file is being read. @param {Place} place */
export const isHere = ([layer, head]) =>
  front.atlas && !front.missing.includes(front.layers[layer]) && head < front.heads.length;

/** The element's text; waits until the file has been read as far. @param {Place} place @returns {Promise<string>} */
async function text([layer, head]) {
  const id = `map-${layer}-${head}`;
  // An element that is followed by another is complete; one that is still being read is not.
  let found = document.getElementById(id);
  while (document.readyState === "loading" && !found?.nextElementSibling) {
    await new Promise((resolve) => setTimeout(resolve, 8));
    found = document.getElementById(id);
  }
  const node = /** @type {Text | null | undefined} */ (found?.firstChild);
  if (!node) throw new Error(`the file holds no map ${front.layers[layer]}.${front.heads[head]}`);
  return node.nextSibling ? (found?.textContent ?? "") : node.data;
}

/** @param {Place[]} wanted */
export const texts = (wanted) => Promise.all(wanted.map(text));

/** @type {Map<string, Stocked | Promise<Stocked>>} */
const stock = new Map();

/** @param {Stocked | Promise<Stocked>} made */
const bytes = (made) => (made instanceof Promise ? 0 : made.keys.byteLength + made.codes.byteLength);

/** Lets go of the oldest. */
function clear() {
  let taken = [...stock.values()].reduce((sum, made) => sum + bytes(made), 0);
  for (const [old, made] of stock) {
    if (stock.size <= LEAST || (stock.size <= MOST && taken <= ROOM)) break;
    taken -= bytes(made);
    stock.delete(old);
  }
}

/** @param {string} name @param {Place[]} wanted @param {Units} units @returns {Promise<Stocked>} */
export function grid(name, wanted, units) {
  const known = stock.get(name);
  if (known) {
    stock.delete(name); // the freshest stand last
    stock.set(name, known);
    return Promise.resolve(known);
  }
  const promise = (async () => {
    const made = await ask({ job: "grid", texts: await texts(wanted), units });
    return { ...made, levels: made.codes instanceof Uint16Array ? FINE : shares };
  })();
  stock.set(name, promise);
  promise.then(
    (made) => {
      if (stock.has(name)) stock.set(name, made);
      clear();
    },
    () => stock.delete(name),
  );
  return promise;
}

/** A map that is there at once, or none. @param {string} name @returns {Stocked | undefined} */
export function atOnce(name) {
  const known = stock.get(name);
  return known instanceof Promise ? undefined : known;
}

/** @type {Promise<unknown> | null} */
let climbed = null;

/** Rollout of a query, from the top layer down. The first call decodes every map.
 * @param {number[]} query tokens @returns {Promise<Float32Array[]>} */
export async function rollout(query) {
  climbed ??= (async () => {
    for (let layer = 0; layer < front.layers.length; layer++) {
      const wanted = front.heads.map((_, head) => /** @type {Place} */ ([layer, head]));
      await ask({ job: "layer", layer, texts: await texts(wanted) });
    }
  })();
  await climbed;
  return ask({ job: "rollout", query, residual: 0.5 });
}

/** Why there can be no rollout; empty where there can. */
export function noRollout() {
  const { kind, layers, heads, queries, keys, sides } = front;
  if (kind === "cross") return "Rollout follows the attention of one text to itself; this is from one text to another.";
  if (!front.atlas) return "The maps themselves were not kept, statistics alone.";
  const all = sides[0].tokens.length;
  if (front.missing.length) return "Layers were left out of this file to keep to its size.";
  if (queries.length < all || keys.length < all) return "Not all queries and keys were kept.";
  if (layers.some((layer, i) => layer !== i)) return "Not all layers below the last one were kept.";
  if (heads.some((head, i) => head !== i)) return "Not all heads were kept.";
  return "";
}

/** @type {Promise<Uint8Array> | null} */
let atlas = null;

/** The small pictures of all maps. */
export const smallPictures = () => (atlas ??= inflate(fromBase64(byId("atlas").textContent ?? "")));
