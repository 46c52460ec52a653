// Finding: counted, said, walked through from match to match.

import { byId, say } from "./page.js";

/** Of the one search field of a page. @template T */
export class Finder {
  /** @type {{name: string, found: T} | null} */
  #known = null;
  #at = -1;

  /** What is found, kept while `name` is the same. @param {string} name of where and what @param {string} needle
   * @param {() => {found: T, count: number}} search @returns {T} */
  all(name, needle, search) {
    if (this.#known?.name === name) return this.#known.found;
    const { found, count } = search();
    this.#known = { name, found };
    this.#at = -1;
    byId("found").textContent = needle ? String(count) : "";
    if (needle) say(`${count} found`);
    return found;
  }

  /** The next of a list, or the last, round the end; -1 where it is empty. @param {number} count
   * @param {number} direction */
  next(count, direction) {
    if (!count) return -1;
    this.#at = this.#at < 0 && direction < 0 ? count - 1 : (this.#at + direction + count) % count;
    say(`match ${this.#at + 1} of ${count}`);
    return this.#at;
  }
}
