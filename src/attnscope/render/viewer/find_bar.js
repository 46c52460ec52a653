// Finding words: matches are counted, announced, and stepped through.

import { t } from "./speech.js";

/** The search field of a viewer. @template T */
export class FindBar {
  /** @type {{name: string, matches: T} | null} */
  #last = null;
  #at = -1;
  #dom;

  /** @param {import("./dom.js").Dom} dom */
  constructor(dom) {
    this.#dom = dom;
  }

  /** The matches, cached while `name` is the same. @param {string} name of place and needle @param {string} needle
   * @param {() => {matches: T, count: number}} search @returns {T} */
  all(name, needle, search) {
    if (this.#last?.name === name) return this.#last.matches;
    const { matches, count } = search();
    this.#last = { name, matches };
    this.#at = -1;
    this.#dom.part("match-count").textContent = needle ? String(count) : "";
    if (needle) this.#dom.say(t("{count} found", { count }));
    return matches;
  }

  /** The next place of `count`, or the previous one, wrapping around; -1 if there is none. @param {number} count
   * @param {number} direction */
  next(count, direction) {
    if (!count) return -1;
    this.#at = this.#at < 0 && direction < 0 ? count - 1 : (this.#at + direction + count) % count;
    this.#dom.say(t("match {place} of {count}", { place: this.#at + 1, count }));
    return this.#at;
  }
}
