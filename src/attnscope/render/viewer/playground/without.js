// Words, passages or turns, heads and edges taken away: the answer with and without them, side by side.

import { arrowKeyTarget, moveTabStop } from "../arrow_keys.js";
import { bdi, element, setText } from "../dom.js";
import { label, number, short } from "../format.js";
import { later, t } from "../speech.js";
import { buildText, createTextView, unitAt } from "../text_view.js";
import { apart } from "../units.js";
import { tokenLines } from "./next_words.js";

/** @typedef {{tokens: import("./next_words.js").NextToken[], value: number, quantity: string, about: string}} Said */
/** @typedef {[string, number, number]} Segment its name and characters (start, end) */

/** What a value is, as a question's answer names it. @type {Record<string, string>} */
const QUANTITIES = {
  log_probability: later("log-probability"),
  probability: later("probability"),
  logit: later("logit"),
  loss: later("loss"),
  "cosine similarity": later("cosine similarity"),
  "dot product": later("dot product"),
  "negative Euclidean distance": later("negative Euclidean distance"),
  "negative Manhattan distance": later("negative Manhattan distance"),
};

/** What is gone, as the page's address holds it: w3 (a word), s1 (a segment), h2.5 (layer and head), e4>1 (from the fifth
 * word to the second), in the order in which it went. */
const ITEM = /^(?:([ws])(\d+)|h(\d+)\.(\d+)|e(\d+)>(\d+))$/;

/** @param {import("../dom.js").Dom} dom @param {import("./asking.js").Asking} asking
 * @param {() => import("../source.js").Question} asked
 * @param {{gone: string}} state @param {(gone: string) => void} take */
export function createWithout(dom, asking, asked, state, take) {
  const holder = dom.part("without-text");
  /** @type {import("../text_view.js").TextView | null} */
  let view = null;
  /** @type {[number, number][]} */
  let spans = [];
  /** @type {Segment[]} */
  let segments = [];
  let [shown, about] = ["", ""];
  /** @type {HTMLElement | undefined} */
  let tabStop;

  const known = (/** @type {string} */ item) => {
    const [, kind, place, layer, , query, key] = ITEM.exec(item) ?? [];
    if (kind) return Number(place) < (kind === "w" ? spans : segments).length;
    return layer !== undefined || (query !== undefined && Number(query) < spans.length && Number(key) < spans.length);
  };
  const gone = () => state.gone.split(",").filter(known);
  const wordText = (/** @type {number} */ word) => label(view?.spans[word]?.textContent ?? "");

  /** @param {string} item */
  function nameOf(item) {
    const [, kind, place, layer, head, query, key] = ITEM.exec(item) ?? [];
    if (kind === "w") return t("“{word}”", { word: wordText(Number(place)) });
    if (kind === "s") return segments[Number(place)][0];
    return layer !== undefined
      ? t("head {layer}.{head}", { layer, head })
      : t("“{from}” → “{to}”", { from: wordText(Number(query)), to: wordText(Number(key)) });
  }

  /** What is gone, as a question says it. */
  function parts() {
    /** @type {{removed: number[][], heads: number[][], edges: number[][]}} */
    const found = { removed: [], heads: [], edges: [] };
    for (const item of gone()) {
      const [, kind, place, layer, head, query, key] = ITEM.exec(item) ?? [];
      if (kind === "w") found.removed.push(spans[Number(place)]);
      else if (kind === "s") found.removed.push(segments[Number(place)].slice(1).map(Number));
      else if (layer !== undefined) found.heads.push([Number(layer), Number(head)]);
      else found.edges.push([...spans[Number(query)], ...spans[Number(key)]]);
    }
    return found;
  }

  async function ask() {
    if (!view) return;
    const names = gone().map(nameOf);
    const answer = await asking.ask("without", { ...asked(), ask: "without", ...parts() });
    if (answer === null) return;
    if (answer === undefined) return show("less", null, null);
    about = answer.with.about;
    show("with", answer.with, null);
    show("less", answer.without, answer.with);
    setText(dom.part("without-says"), names.length ? t("Without {names}", { names: names.join(t(", ")) }) : "");
  }

  /** @param {string} part @param {Said | null} said @param {Said | null} before */
  function show(part, said, before) {
    dom.part(`${part}-tokens`).replaceChildren(...(said ? tokenLines(said.tokens, 5) : []));
    const change = said && before ? t(", changed by {change}", { change: number(said.value - before.value) }) : "";
    const quantity = t(QUANTITIES[said?.quantity ?? ""] ?? said?.quantity ?? "");
    const what = said?.about ? t("{quantity} of “{word}”", { quantity, word: label(said.about) }) : quantity;
    setText(dom.part(`${part}-value`), said ? `${what} ${number(said.value)}${change}` : "");
    dom.part(`${part}-side`).classList.toggle("none", !said);
  }

  function reflect() {
    const items = gone();
    view?.spans.forEach((span, word) => {
      const [start, end] = spans[word];
      const within = items.some((item) => {
        const [, kind, place] = ITEM.exec(item) ?? [];
        const segment = kind === "s" ? segments[Number(place)] : null;
        return segment && start < segment[2] && segment[1] < end;
      });
      const pressed = items.includes(`w${word}`);
      span.classList.toggle("gone", pressed || Boolean(within));
      span.setAttribute("aria-pressed", String(pressed));
    });
    dom
      .part("segments")
      .querySelectorAll("button")
      .forEach((button, i) => {
        button.setAttribute("aria-pressed", String(items.includes(`s${i}`)));
      });
    dom.part("others-gone").replaceChildren(
      ...items
        .filter((item) => /^[he]/.test(item))
        .map((item) => {
          const button = element("button", "", "plain");
          button.append(bdi(nameOf(item)), " ×");
          button.setAttribute("aria-label", t("Put back {what}", { what: nameOf(item) }));
          button.addEventListener("click", () => toggle(item));
          return button;
        }),
    );
    for (const part of ["undo", "put-back"]) dom.part(part).toggleAttribute("disabled", !items.length);
  }

  /** @param {string} item */
  function toggle(item) {
    const items = gone();
    take((items.includes(item) ? items.filter((other) => other !== item) : [...items, item]).join(","));
  }

  holder.addEventListener("click", (event) => {
    const word = view ? unitAt(view, event.target) : -1;
    if (word < 0) return;
    move(word);
    toggle(`w${word}`);
  });
  holder.addEventListener("keydown", (event) => {
    const word = view ? unitAt(view, event.target) : -1;
    if (!view || word < 0) return;
    const target = arrowKeyTarget(view.spans, word, event);
    if (target !== null) move(target).focus();
    else if (event.key === "Enter" || event.key === " ") toggle(`w${word}`);
    else return;
    event.preventDefault();
  });
  dom.part("undo").addEventListener("click", () => take(gone().slice(0, -1).join(",")));
  dom.part("put-back").addEventListener("click", () => take(""));
  const valueOf = (/** @type {string} */ part) => /** @type {HTMLInputElement} */ (dom.part(part)).value;
  dom.part("take-head").addEventListener("click", () => {
    const item = `h${Number(valueOf("gone-layer"))}.${Number(valueOf("gone-head"))}`;
    if (!gone().includes(item)) toggle(item);
  });
  dom.part("take-edge").addEventListener("click", () => {
    const item = `e${Number(valueOf("gone-query"))}>${Number(valueOf("gone-key"))}`;
    if (view && !gone().includes(item)) toggle(item);
  });

  /** @param {number} word */
  function move(word) {
    const span = /** @type {import("../text_view.js").TextView} */ (view).spans[word];
    moveTabStop(tabStop, span, false);
    tabStop = span;
    return span;
  }

  function listParts() {
    dom.part("segments").replaceChildren(
      ...segments.map(([name], i) => {
        const button = element("button", name);
        button.addEventListener("click", () => toggle(`s${i}`));
        return button;
      }),
    );
    for (const [part, chosen] of /** @type {[string, number][]} */ ([
      ["gone-query", spans.length - 1],
      ["gone-key", 0],
    ])) {
      const list = /** @type {HTMLSelectElement} */ (dom.part(part));
      list.replaceChildren(
        ...spans.map((_, word) => {
          const option = /** @type {HTMLOptionElement} */ (element("option", short(wordText(word), 30)));
          option.value = String(word);
          return option;
        }),
      );
      if (spans.length) list.value = String(chosen);
    }
  }

  return {
    /** The text and its words, as characters (start, end). @param {string} text @param {[number, number][]} words
     * @param {Segment[]} named */
    show(text, words, named) {
      if (text !== shown) {
        [shown, spans, segments] = [text, words, named];
        view = createTextView(holder, apart(text, words), false);
        buildText(view, Infinity);
        for (const span of view.spans) span.setAttribute("role", "button");
        if (view.spans.length) move(0);
        listParts();
      }
      reflect();
      if (!dom.part("panel-without").hidden) void ask();
    },
    ask,
    /** What is gone has changed. */
    changed() {
      reflect();
      void ask();
    },
    /** What is gone, and what its effect is measured on. */
    taken: () => ({ ...parts(), about: about || null }),
    /** Takes away the word that stands at this character, or puts it back. @param {number} place */
    toggleAt(place) {
      const word = spans.findIndex(([start, end]) => start <= place && place < end);
      if (word >= 0) toggle(`w${word}`);
    },
    /** Forgets the text: of another, the words are not known yet. */
    clear() {
      asking.stop("without");
      [shown, about, spans, segments, view] = ["", "", [], [], null];
      holder.replaceChildren();
      for (const part of ["with", "less"]) show(part, null, null);
      setText(dom.part("without-says"), "");
      listParts();
      reflect();
    },
  };
}
