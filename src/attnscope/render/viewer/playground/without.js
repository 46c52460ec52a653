// Words taken away: the answer with and without them, side by side.

import { arrowKeyTarget, moveTabStop } from "../arrow_keys.js";
import { setText } from "../dom.js";
import { label, number } from "../format.js";
import { buildText, createTextView, unitAt } from "../text_view.js";
import { apart } from "../units.js";
import { tokenLines } from "./next_words.js";

/** @typedef {{tokens: import("./next_words.js").NextToken[], value: number, quantity: string, about: string}} Said */

/** @param {import("../dom.js").Dom} dom @param {import("./asking.js").Asking} asking
 * @param {() => import("../source.js").Question} asked */
export function createWithout(dom, asking, asked) {
  const holder = dom.part("without-text");
  /** @type {import("../text_view.js").TextView | null} */
  let view = null;
  /** @type {[number, number][]} */
  let spans = [];
  let shown = "";
  /** The words that are gone, in the order in which they went. @type {number[]} */
  let gone = [];
  /** @type {HTMLElement | undefined} */
  let tabStop;

  async function ask() {
    if (!view) return;
    const removed = gone.map((word) => spans[word]);
    const answer = await asking.ask("without", { ...asked(), ask: "without", removed });
    if (!answer) return;
    show("with", answer.with, null);
    show("less", answer.without, answer.with);
    const names = gone.map((word) => label(view?.spans[word]?.textContent ?? ""));
    setText(dom.part("without-says"), names.length ? `Without ${names.map((name) => `“${name}”`).join(", ")}` : "");
  }

  /** @param {string} part @param {Said | null} said @param {Said | null} before */
  function show(part, said, before) {
    dom.part(`${part}-tokens`).replaceChildren(...(said ? tokenLines(said.tokens, 5) : []));
    const change = said && before ? `, changed by ${number(said.value - before.value)}` : "";
    const about = said?.about ? ` of “${label(said.about)}”` : "";
    setText(
      dom.part(`${part}-value`),
      said ? `${said.quantity.replace("_", "-")}${about} ${number(said.value)}${change}` : "",
    );
    dom.part(`${part}-side`).classList.toggle("none", !said);
  }

  function reflect() {
    view?.spans.forEach((span, word) => {
      span.classList.toggle("gone", gone.includes(word));
      span.setAttribute("aria-pressed", String(gone.includes(word)));
    });
    for (const part of ["undo", "put-back"]) dom.part(part).toggleAttribute("disabled", !gone.length);
  }

  /** @param {number[]} words */
  function change(words) {
    gone = words;
    reflect();
    void ask();
  }

  /** @param {number} word */
  const toggle = (word) => change(gone.includes(word) ? gone.filter((other) => other !== word) : [...gone, word]);

  holder.addEventListener("click", (event) => {
    const word = view ? unitAt(view, event.target) : -1;
    if (word < 0) return;
    move(word);
    toggle(word);
  });
  holder.addEventListener("keydown", (event) => {
    const word = view ? unitAt(view, event.target) : -1;
    if (!view || word < 0) return;
    const target = arrowKeyTarget(view.spans, word, event);
    if (target !== null) move(target).focus();
    else if (event.key === "Enter" || event.key === " ") toggle(word);
    else return;
    event.preventDefault();
  });
  dom.part("undo").addEventListener("click", () => change(gone.slice(0, -1)));
  dom.part("put-back").addEventListener("click", () => change([]));

  /** @param {number} word */
  function move(word) {
    const span = /** @type {import("../text_view.js").TextView} */ (view).spans[word];
    moveTabStop(tabStop, span, false);
    tabStop = span;
    return span;
  }

  return {
    /** The text and its words, as characters (start, end). @param {string} text @param {[number, number][]} words */
    show(text, words) {
      if (text !== shown) {
        [shown, spans, gone] = [text, words, []];
        view = createTextView(holder, apart(text, words), false);
        buildText(view, Infinity);
        for (const span of view.spans) span.setAttribute("role", "button");
        if (view.spans.length) move(0);
        reflect();
      }
      if (!dom.part("panel-without").hidden) void ask();
    },
    ask,
    /** Takes away the word that stands at this character, or puts it back. @param {number} place */
    toggleAt(place) {
      const word = spans.findIndex(([start, end]) => start <= place && place < end);
      if (word >= 0) toggle(word);
    },
    /** Forgets the text: of another, the words are not known yet. */
    clear() {
      asking.stop("without");
      [shown, spans, gone, view] = ["", [], [], null];
      holder.replaceChildren();
      for (const part of ["with", "less"]) show(part, null, null);
      setText(dom.part("without-says"), "");
      reflect();
    },
  };
}
