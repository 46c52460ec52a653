// The only way in which data gets into a viewer: today from the elements of a page; from a server or a notebook's
// channel by another object of the same shape. No view knows which it is.

import { words } from "./speech.js";

/**
 * @typedef {import("./units.js").Side} Side
 * @typedef {{title: string, facts: [string, string][], notes?: string[], signed: boolean,
 *   words: [number, number, number][]}} Score
 * @typedef {{about: string, words: [number, number][], by_layer: boolean, values: number[][]}} Matters
 * @typedef {{schema: number, title: string, version: string, provenance: Record<string, string>, kind: string,
 *   sides: Side[], layers: number[], heads: number[], queries: number[], keys: number[], continued: number | null,
 *   notes?: string[], statistics: Record<string, number[][]>, flow: Score[], matters?: Matters | null, palettes: Record<string, [string[], string[]]>,
 *   signed: [string[], string[]], coding: {power: number, top: number, signed?: boolean}, thumbnails: boolean, missing: number[],
 *   kept: {mean: number, worst: number} | null, megabytes: [number, number]}} Manifest
 * See README.md for what each of these is.
 *
 * @typedef {string | Uint8Array<ArrayBuffer>} Stream  deflated bytes, or these in base64
 *
 * @typedef {{
 *   manifest: Manifest,
 *   workerCode: string | null,
 *   thumbnails: () => Promise<Stream>,
 *   map: (layer: number, head: number) => Promise<Stream>,
 * }} MapSource
 * For the explorer. workerCode: the script of the thread that decodes; null: no thread. map: one map; layer, head: its places among those
 * of the manifest; rejects where the map was left out.
 *
 * @typedef {{result: () => string}} ResultSource
 * For pages of scores and of tables. result: the documented JSON (docs/schema.md).
 *
 * @typedef {{models: string[], methods: [string, string][], examples: [string, string, string][]}} Setup
 * models: their names; methods: name, what its scores are; examples: language, name, text.
 * @typedef {Record<string, unknown> & {ask: string}} Question
 * @typedef {{setup: Setup, ask: (question: Question, heard?: (event: string, data: any) => void, signal?: AbortSignal)
 *   => Promise<any>, here: () => Promise<string>}} AskingSource
 * For the playground: asks whoever runs the models. ask: the answer; what comes before it is heard; rejects with an
 * AskError, or with an AbortError once the signal is given. here: why nobody answers, "" where somebody does.
 */

/** An answer that could not be given. lost: whether nobody was there to give one; the page then waits for somebody. */
export class AskError extends Error {
  /** @param {string} message @param {boolean} [lost] */
  constructor(message, lost = false) {
    super(message);
    this.lost = lost;
  }
}

/** Data with what it says in the page's language, where the page has that. @param {any} data @param {any} other
 * @returns {any} */
function said(data, other) {
  if (typeof other !== "object" || other === null || Array.isArray(data) !== Array.isArray(other)) return other;
  for (const [name, value] of Object.entries(other)) data[name] = name in data ? said(data[name], value) : value;
  return data;
}

/** Data in inert elements of a page. @implements {MapSource} @implements {ResultSource} */
export class PageSource {
  /** @type {Manifest | undefined} */
  #manifest;

  /** @param {Document} page @param {string} [prefix] of the elements' ids, where a page holds data for several viewers */
  constructor(page, prefix = "") {
    this.page = page;
    this.prefix = prefix;
  }

  get manifest() {
    this.#manifest ??= /** @type {Manifest} */ (said(JSON.parse(this.#text("manifest")), words()));
    return this.#manifest;
  }

  get workerCode() {
    return this.#text("worker");
  }

  async thumbnails() {
    return this.#text("thumbnails");
  }

  /** Waits until this map has been read. @param {number} layer @param {number} head @returns {Promise<string>} */
  async map(layer, head) {
    const id = `${this.prefix}map-${layer}-${head}`;
    // An element is complete once another one follows it.
    let holder = this.page.getElementById(id);
    while (this.page.readyState === "loading" && !holder?.nextElementSibling) {
      await new Promise((resolve) => setTimeout(resolve, 8));
      holder = this.page.getElementById(id);
    }
    const node = /** @type {Text | null | undefined} */ (holder?.firstChild);
    if (!node) throw new Error(`the file holds no map ${this.manifest.layers[layer]}.${this.manifest.heads[head]}`);
    // A single text node is passed on without a copy.
    return node.nextSibling ? (holder?.textContent ?? "") : node.data;
  }

  result() {
    return this.#text("data");
  }

  /** @param {string} id */
  #text(id) {
    const holder = this.page.getElementById(this.prefix + id);
    if (!holder) throw new Error(`the page holds no element "${this.prefix + id}"`);
    return holder.textContent ?? "";
  }
}
