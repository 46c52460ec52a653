// The explorer of the text, whose maps come one by one; a word that is clicked elsewhere is pinned in it.

import { start as startExplorer } from "../explorer/explorer.js";
import { nestedAddress, placed } from "./nested.js";

/** @param {import("../dom.js").Dom} dom @param {import("./asking.js").Asking} asking
 * @param {import("../source.js").AskingSource} source @param {() => import("../source.js").Question} asked
 * @param {() => string} theme */
export function createAttention(dom, asking, source, asked, theme) {
  const address = nestedAddress();
  address.write("view=text");
  /** The text that the explorer shows, and the one that is on its way. */
  let [shown, coming] = ["", ""];
  /** @type {Promise<void>} */
  let ready = Promise.resolve();
  /** @type {any} */
  let manifest = null;

  /** @param {boolean} unasked */
  async function load(unasked) {
    const question = asked();
    const key = JSON.stringify(question);
    dom.part("maps-holder").setAttribute("aria-busy", "true");
    const answer = await asking.ask("maps", { ...question, ask: "maps" }, undefined, unasked);
    if (key !== coming) return;
    dom.part("maps-holder").removeAttribute("aria-busy");
    if (!answer) return clear();
    manifest = answer.manifest;
    address.leave();
    address.write(withoutWord(address.read()));
    const root = placed(dom.part("maps-holder"), dom.part("maps-template"), theme());
    startExplorer(
      root,
      {
        manifest,
        workerCode: null,
        thumbnails: async () => (await source.ask({ ...question, ask: "outlines" })).stream,
        map: async (layer, head) =>
          (await source.ask({ ...question, ask: "map", layer: manifest.layers[layer], head: manifest.heads[head] }))
            .stream,
      },
      address,
    );
    shown = key;
  }

  /** What is there is of another text. */
  function clear() {
    asking.stop("maps");
    [shown, coming, manifest] = ["", "", null];
    address.leave();
    placed(dom.part("maps-holder"), null, "");
    dom.part("maps-holder").removeAttribute("aria-busy");
  }

  return {
    address,
    clear,
    /** Makes the explorer of the text that is asked about now. unasked: before anybody wants to see it. */
    prepare(unasked = false) {
      const key = JSON.stringify(asked());
      if (key === coming) return ready;
      if (key === shown) {
        // Another was on its way, and is wanted no more.
        coming = "";
        asking.stop("maps");
        dom.part("maps-holder").removeAttribute("aria-busy");
        return Promise.resolve();
      }
      coming = key;
      ready = load(unasked).finally(() => {
        if (coming === key) coming = "";
      });
      return ready;
    },
    /** The attention of the word that stands at this character of the text. @param {number} start
     * @returns {Promise<import("../source.js").Manifest | null>} of the maps that are seen */
    async look(start) {
      const key = JSON.stringify(asked());
      await this.prepare();
      if (!manifest || shown !== key) return null;
      const [side] = manifest.sides;
      const word = side.words.findIndex(
        (/** @type {[number, number, number[]]} */ each) => each[0] <= start && start < each[1],
      );
      if (word < 0) return null;
      const special = side.tokens.map((/** @type {any[]} */ token, /** @type {number} */ i) => (token[2] ? i : -1));
      const first = side.words[word][2][0];
      // Among the explorer's units, special tokens are units of their own.
      const before = special.filter((/** @type {number} */ i) => i >= 0 && i < first && !inWord(side, i)).length;
      address.set({ view: "text", unit: "word", dir: "to", pin: word + before });
      return manifest;
    },
  };
}

/** @param {any} side @param {number} token */
const inWord = (side, token) =>
  side.words.some((/** @type {[number, number, number[]]} */ word) => word[2].includes(token));

/** The state without what belongs to one text. @param {string} fragment */
function withoutWord(fragment) {
  const query = new URLSearchParams(fragment);
  for (const key of ["pin", "other", "find", "zoom", "chosen"]) query.delete(key);
  return query.toString();
}
