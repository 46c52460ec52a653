// What the page says, in its reader's language: English is in the code, and the messages of another language come with
// the page (`render/html/languages.py`). Set once, before a viewer starts; a page has one reader.

import { inflated } from "./inflate.js";

/** @typedef {{texts?: [number, number, string][], attributes?: [number, string, string][],
 *   says: Record<string, string>, words?: Record<string, any>}} Speech */

/** @type {{language: string, says: Record<string, string>, words: Record<string, any>}} */
const spoken = { language: "en", says: {}, words: {} };

/** The language of the page. */
export const language = () => spoken.language;

/** What the page's data says in its language, where it is not the data's own. @returns {Record<string, any>} */
export const words = () => spoken.words;

/** A message in the page's language. @param {string} message a key of the catalogue, with its values in braces
 * @param {Record<string, string | number>} [values] */
export const t = (message, values) =>
  (spoken.says[message] ?? message).replace(/\{(\w+)\}/g, (whole, name) => String(values?.[name] ?? whole));

/** A message with texts of the user's. @param {string} message @param {Record<string, string>} texts
 * @returns {import("./dom.js").Phrase} */
export const phrase = (message, texts) =>
  (spoken.says[message] ?? message).split(/\{(\w+)\}/).map((piece, i) => (i % 2 ? texts[piece] : piece));

/** A message that is said later, by `t` or `phrase`. @param {string} message */
export const later = (message) => message;

/** Speaks the page's language, or that of its reader's browser. @param {Document} page */
export async function speak(page) {
  const wanted = navigator.language.slice(0, 2);
  for (const holder of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("script[data-speech]"))) {
    const { speech = "", always } = holder.dataset;
    if (always === undefined && speech !== wanted) continue;
    try {
      const text = new TextDecoder().decode(await inflated(holder.textContent ?? ""));
      const { texts = [], attributes = [], says, words = {} } = /** @type {Speech} */ (JSON.parse(text));
      Object.assign(spoken, { language: speech, says, words });
      rewrite([...elements(page)], texts, attributes);
    } catch {
      // A browser that cannot unpack it shows the page in English.
    }
  }
}

/** Every element in the order of the source, those of templates too. @param {Document | DocumentFragment} within
 * @returns {Generator<Element>} */
function* elements(within) {
  for (const element of within.querySelectorAll("*")) {
    yield element;
    if (element instanceof HTMLTemplateElement) yield* elements(element.content);
  }
}

/** @param {Element[]} all @param {[number, number, string][]} texts @param {[number, string, string][]} attributes */
function rewrite(all, texts, attributes) {
  for (const [number, before, text] of texts) {
    const element = all[number];
    const last = before ? element.children[before - 1] : null;
    const node = last ? last.nextSibling : element.firstChild;
    if (node instanceof Text) node.data = text;
    else element.insertBefore(document.createTextNode(text), node);
  }
  for (const [number, name, value] of attributes) all[number].setAttribute(name, value);
}
