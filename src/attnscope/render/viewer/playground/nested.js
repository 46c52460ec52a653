// A viewer inside the playground: a copy of its page's elements, filled with what Python says, and started.

import { element } from "../dom.js";
import { language, t } from "../speech.js";

/** @typedef {import("../url_state.js").Address} Address */
/**
 * @typedef {{title: string, lang: string, textLang: string, signed: boolean, facts: [string, string][],
 *   answer: {text: string, probability: string, lang: string} | null, unit: string, per: string, units: string,
 *   ranked: string, query: string, scale: string, notes: string[], provenance: string[]}} Shown
 * @typedef {{type: string, result: string, shown: Shown}} Described  what `described` in Python gives
 */

/** An address for a viewer that is started again for each result: its state outlives it. */
export function nestedAddress() {
  let fragment = "";
  /** @type {() => void} */
  let heard = () => {};
  return {
    read: () => fragment,
    write: (/** @type {string} */ written) => void (fragment = written),
    // Only the viewer that was started last is there.
    onChange: (/** @type {() => void} */ listener) => void (heard = listener),
    /** Changes parts of the viewer's state. @param {Record<string, string | number>} patch */
    set(patch) {
      const query = new URLSearchParams(fragment);
      for (const [key, value] of Object.entries(patch)) query.set(key, String(value));
      fragment = query.toString();
      heard();
    },
    /** Before another viewer is started. */
    leave: () => void (heard = () => {}),
  };
}

/** Puts a viewer's elements into a holder, in the place of those before; without a template, nothing.
 * @param {HTMLElement} holder @param {HTMLElement | null} template @param {string} theme */
export function placed(holder, template, theme) {
  for (const before of holder.children) before.dispatchEvent(new Event("leave"));
  const root = element("div", "", "viewer");
  if (theme) root.dataset.theme = theme;
  if (template) root.append(/** @type {HTMLTemplateElement} */ (template).content.cloneNode(true));
  holder.replaceChildren(...(template ? [root] : []));
  return root;
}

/** Writes what Python says about a result into a viewer's elements. @param {HTMLElement} root @param {Shown} shown */
export function fill(root, shown) {
  root.toggleAttribute("data-signed", shown.signed);
  root.lang = shown.lang;
  /** @param {string} selector @param {(found: HTMLElement) => void} write */
  const within = (selector, write) => {
    const found = /** @type {HTMLElement | null} */ (root.querySelector(selector));
    if (found) write(found);
  };
  /** @param {string} selector @param {string} text */
  const say = (selector, text) => within(selector, (found) => (found.textContent = text));
  say("h1", shown.title);
  say("[data-part=unit-name]", shown.unit);
  say("[data-part=per]", shown.per);
  say("[data-part=scale]", shown.scale);
  say("[data-part=top-title]", shown.ranked);
  within("[data-part=text]", (text) => (text.lang = shown.textLang));
  within("[data-part=answer]", (holder) => {
    holder.hidden = !shown.answer;
    if (!shown.answer) return;
    const words = element("q", shown.answer.text);
    [words.dir, words.lang] = ["auto", shown.answer.lang];
    const probability = element("b", shown.answer.probability);
    probability.lang = "en";
    holder.replaceChildren(words, " ", probability);
  });
  within("[data-part=query]", (holder) => {
    holder.hidden = !shown.query;
    holder.replaceChildren(element("span", shown.query, "q"), t(" is the query"));
  });
  within("[data-part=notes]", (holder) => holder.replaceChildren(...shown.notes.map((note) => element("p", note))));
  within(".provenance", (holder) => holder.replaceChildren(...shown.provenance.map((fact) => element("span", fact))));
  const facts = element("dl", "", "facts");
  facts.lang = language();
  for (const [name, value] of shown.facts) {
    const pair = element("div");
    pair.append(element("dt", name), element("dd", value));
    facts.append(pair);
  }
  within("header", (header) => header.after(facts));
}

/** The tokens of a result per token as its page lists them, to be chosen from.
 * @param {HTMLElement} root @param {string[]} texts */
export function fillTargets(root, texts) {
  const holder = root.querySelector("[data-part=targets]");
  texts.forEach((text, i) => {
    const radio = /** @type {HTMLInputElement} */ (element("input"));
    [radio.type, radio.name, radio.value, radio.dataset.state] = ["radio", "target", String(i), "target"];
    const label = element("label");
    label.append(radio, element("bdi", text.trim() || text.replace(/\n/g, "↵").replace(/ /g, "␣")));
    holder?.append(label);
  });
  // The matrix and the table of all tokens are on the page from disk.
  for (const section of root.querySelectorAll("section[data-part=whole]")) section.remove();
}
