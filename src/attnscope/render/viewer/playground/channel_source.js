// The notebook that this page is a frame of, as a source and as an address: messages go to it and come back.

import { AskError } from "../source.js";

/** @typedef {import("../source.js").AskingSource} AskingSource */
/** @typedef {{heard: (event: string, data: any) => void, resolve: (answer: any) => void,
 *   reject: (reason: Error) => void}} Waiting */

/** @implements {AskingSource} @implements {Address} @typedef {import("../url_state.js").Address} Address */
export class ChannelSource {
  #last = 0;
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  /** @type {() => void} */
  #moved = () => {};
  #fragment;

  /** @param {Document} page */
  constructor(page) {
    this.setup = JSON.parse(page.getElementById("setup")?.textContent ?? "{}");
    this.#fragment = this.setup.fragment;
    addEventListener("message", ({ source, data }) => {
      // Nobody but the page around this frame is listened to.
      if (source === parent) this.#told(data);
    });
  }

  /** @param {any} message */
  #told({ id, event, data, fragment }) {
    if (typeof fragment === "string" && fragment !== this.#fragment) {
      this.#fragment = fragment;
      this.#moved();
    }
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    const told = data === undefined ? null : JSON.parse(data);
    if (event !== "result" && event !== "error" && event !== "over") return waiting.heard(event, told);
    this.#waiting.delete(id);
    if (event === "result") waiting.resolve(told);
    else if (event === "error") waiting.reject(new AskError(told));
    else waiting.reject(new DOMException("a newer question took its place", "AbortError"));
  }

  /** @type {AskingSource["ask"]} */
  ask(question, heard = () => {}, signal) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { heard, resolve, reject });
      signal?.addEventListener("abort", () => {
        if (this.#waiting.delete(id)) parent.postMessage({ id, cancel: true }, "*");
        reject(new DOMException("nobody waits for it", "AbortError"));
      });
      parent.postMessage({ id, question: JSON.stringify(question) }, "*");
    });
  }

  async here() {
    return "";
  }

  read() {
    return this.#fragment;
  }

  /** @param {string} fragment */
  write(fragment) {
    this.#fragment = fragment;
    parent.postMessage({ fragment }, "*");
  }

  /** @param {() => void} heard */
  onChange(heard) {
    this.#moved = heard;
  }
}
