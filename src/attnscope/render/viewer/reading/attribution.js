// The scores of one result, by word or by token: values on hover and focus, arrow keys from word to word, pinning. This
// module knows the documented JSON (docs/schema.md) and nothing else; text enters the page only through textContent.

import { arrowKeyTarget, moveTabStop } from "../arrow_keys.js";
import { stepOf } from "../colour.js";
import { Dom } from "../dom.js";
import { label, number, short } from "../format.js";
import { showLegend, threeTicks } from "../legend.js";
import { ends, minMax, ranks, symmetric } from "../scores.js";
import { drawArcs } from "./arcs.js";
import { runScoresPage, stepColours } from "./scores_page.js";
import { buildText, createTextView, placeAt, writtenText } from "../text_view.js";
import { createTooltip } from "../tooltip.js";
import { createTopTable } from "../top_table.js";
import { apart, together } from "../units.js";
import { createStore } from "../url_state.js";
import { later, t } from "../speech.js";

/**
 * @typedef {{text: string, start: number, end: number, special: boolean, score: number}} Token
 * @typedef {{text: string, start: number, end: number, score: number, scaled: number}} Word
 * @typedef {{family: string, signed?: boolean, text: string, tokens: Token[], words: Word[],
 *   asked?: {unit?: string, segments?: Record<string, [number, number]>},
 *   measured: {query_tokens: number[] | null,
 *   interactions?: [[number, number], [number, number], number, number, number][]}}} Result
 * @typedef {{text: import("../text_view.js").TextView, nodes: Node[], boxes: number[], spans: HTMLElement[],
 *   scores: number[], scaled: number[], ranks: number[], notes: string[]}} ScoredText
 * boxes: those that are drawn. The other lists have an entry per box: element, score, scaled score, rank, note
 */

const TOP = 12;

/** @type {Record<string, string>} */
const UNITS = {
  word: later("word"),
  token: later("token"),
  sentence: later("sentence"),
  segment: later("segment"),
};

/** @param {import("../text_view.js").TextView} text @param {number[]} boxes @param {number[]} scores
 * @param {number[]} scaled @param {string[]} notes @param {boolean} signed @returns {ScoredText} */
const scoredText = (text, boxes, scores, scaled, notes, signed) => ({
  text,
  nodes: [...text.root.childNodes],
  boxes,
  spans: boxes.map((box) => text.spans[box]),
  scores,
  scaled,
  ranks: ranks(scores, signed),
  notes,
});

/** The words, in the elements that Python wrote, or in new ones. @param {HTMLElement} root @param {Result} result */
function scoredWords(root, { text, words, tokens, signed = false, measured }) {
  const axis = apart(
    text,
    words.map(({ start, end }) => [start, end]),
  );
  const view = writtenText(root, axis, (word) => stepOf(words[word].scaled));
  for (const i of measured.query_tokens ?? []) {
    const { start, end } = tokens[i];
    words.forEach((word, place) => word.start < end && start < word.end && view.spans[place].classList.add("q"));
  }
  return scoredText(
    view,
    words.map((_, i) => i),
    words.map(({ score }) => score),
    words.map(({ scaled }) => scaled),
    words.map(() => ""),
    signed,
  );
}

/** The tokens. Those that share a character (bytes of one emoji) share a box, which has the highest of their scores;
 * special tokens are left out, as in the words. @param {HTMLElement} root @param {Result} result */
function scoredTokens(root, { text, tokens, signed = false, measured }) {
  const axis = together(text, tokens);
  const view = createTextView(root, axis, false);
  buildText(view, Infinity);
  const shown = axis.boxes.map(({ units }) => units.filter((unit) => !tokens[unit].special));
  const boxes = [...shown.keys()].filter((box) => shown[box].length);
  const scores = boxes.map((box) =>
    shown[box]
      .map((unit) => tokens[unit].score)
      .reduce((a, b) => ((signed ? Math.abs(b) > Math.abs(a) : b > a) ? b : a)),
  );
  const notes = boxes.map((box) =>
    shown[box].length > 1
      ? t(
          signed
            ? later("the strongest of {count} tokens in one character")
            : later("the highest of {count} tokens in one character"),
          { count: shown[box].length },
        )
      : "",
  );
  const scaled = (signed ? symmetric : minMax)(scores);
  const queryTokens = new Set(measured.query_tokens ?? []);
  boxes.forEach((box, i) => {
    view.spans[box].classList.add(`s${stepOf(scaled[i])}`);
    view.spans[box].classList.toggle(
      "q",
      shown[box].some((unit) => queryTokens.has(unit)),
    );
  });
  return scoredText(view, boxes, scores, scaled, notes, signed);
}

/** What is scored. @param {Result} result */
const unitOf = ({ asked }) => (["sentence", "segment"].includes(asked?.unit ?? "") ? asked?.unit : "word");

/** The name of a segment; undefined for a unit without one. @param {Result} result @param {number} place */
function nameOfSegment({ asked, words }, place) {
  const spans = Object.entries(asked?.segments ?? {});
  return spans.find(([, [start, end]]) => start === words[place].start && end === words[place].end)?.[0];
}

/** @param {HTMLElement} root @param {import("../source.js").ResultSource} source
 * @param {import("../url_state.js").Address | null} address */
export function start(root, source, address = null) {
  const dom = new Dom(root);
  const tooltip = createTooltip(dom);
  const showTop = createTopTable(dom);
  /** @type {Result} */
  const result = JSON.parse(source.result());
  const signed = Boolean(result.signed);
  const holder = dom.part("text");
  const unitName = dom.part("unit-name").textContent ?? "";
  const store = createStore(
    { unit: "word", pin: -1, find: "", theme: "" },
    { unit: ["word", "token"], theme: ["", "light", "dark"] },
    address,
  );
  const { state, update } = store;
  /** @type {Record<string, ScoredText>} */
  const scoredTexts = { word: scoredWords(holder, result) };
  let now = scoredTexts.word;
  /** @type {HTMLElement | undefined} */
  let tabStop;

  /** @param {number} place @returns {string[]} */
  function values(place) {
    const { scores, scaled, ranks, notes } = now;
    const lines = [
      t("score {score}", { score: number(scores[place]) }),
      t("scaled {scaled}", { scaled: scaled[place].toFixed(3) }),
      t("rank {rank} of {count}", { rank: ranks[place], count: ranks.length }),
    ];
    return notes[place] ? [...lines, notes[place]] : lines;
  }

  /** A segment has a name of its own. @param {number} place */
  const nameOf = (place) => {
    const name = state.unit === "word" ? nameOfSegment(result, place) : undefined;
    return name === undefined ? label(now.spans[place].textContent ?? "") : label(name);
  };

  /** Beside the sum of a passage its mean. @param {number} place */
  function perToken(place) {
    if (state.unit !== "word" || nameOfSegment(result, place) === undefined) return "";
    const { start, end } = result.words[place];
    const inside = result.tokens.filter((t) => !t.special && t.start < t.end && start <= t.start && t.start < end);
    return t("\nmean {mean}", { mean: number(now.scores[place] / Math.max(1, inside.length)) });
  }

  /** @param {number} place */
  const showValues = (place) => tooltip.showAbove(now.spans[place], nameOf(place), values(place));

  /** Shows the tooltip of the pinned word, or none. */
  function showPinned() {
    if (now.spans[state.pin]) showValues(state.pin);
    else tooltip.hide();
  }

  /** @param {number} place */
  const pin = (place) => update({ pin: place === state.pin ? -1 : place });

  /** @param {number} place @param {boolean} focus */
  function moveTo(place, focus) {
    const span = now.spans[place];
    if (!span) return;
    moveTabStop(tabStop, span, focus);
    tabStop = span;
  }

  /** The pairs of words that have an arc; those of which a word is not drawn have none. */
  function arcs() {
    const wordAt = (/** @type {[number, number]} */ [start, end]) =>
      now.spans[result.words.findIndex((word) => start <= word.start && word.end <= end)];
    const all = state.unit === "word" ? (result.measured.interactions ?? []) : [];
    const pairs = all.map(([first, second, value]) => ({ from: wordAt(first), to: wordAt(second), value }));
    drawArcs(
      holder,
      pairs.filter(({ from, to }) => from && to),
    );
  }

  /** @param {typeof state | null} before */
  function show(before) {
    const next = (scoredTexts[state.unit] ??= scoredTokens(holder, result));
    if (next !== now) {
      now = next;
      holder.replaceChildren(...now.nodes);
    }
    if (!before || before.unit !== state.unit) {
      moveTo(0, false);
      showLegend(dom, legend());
      dom.part("scale").hidden = state.unit !== "word";
      showTopWords();
      if (result.measured.interactions?.length) arcs();
    }
    for (const pinned of holder.querySelectorAll(".pinned")) pinned.classList.remove("pinned");
    now.spans[state.pin]?.classList.add("pinned");
    if (!before || before.pin !== state.pin) showPinned();
  }

  /** @returns {import("../legend.js").Legend} */
  const legend = () => ({
    get colours() {
      return stepColours(dom, "s");
    },
    ticks: threeTicks(ends(now.scores, signed), number),
    unit: [
      t("{measure} per {unit}", {
        measure: unitName,
        unit: t(UNITS[state.unit === "word" ? (unitOf(result) ?? "word") : state.unit]),
      }),
    ],
  });

  function showTopWords() {
    const drawn = [...now.spans.keys()].filter((place) => now.spans[place].textContent?.trim());
    const best = drawn.sort((a, b) => now.ranks[a] - now.ranks[b] || a - b).slice(0, TOP);
    const lines = best.map((place) => ({
      unit: place,
      label:
        state.unit === "word" && nameOfSegment(result, place) !== undefined ? nameOf(place) : short(nameOf(place), 40),
      share: signed ? Math.abs(2 * now.scaled[place] - 1) : now.scaled[place],
      step: stepOf(now.scaled[place]),
      last: number(now.scores[place]) + perToken(place),
    }));
    showTop(lines, (place) => {
      update({ pin: place });
      now.spans[place].scrollIntoView({ block: "nearest" });
    });
  }

  /** @param {EventTarget | null} target */
  function placeOf(target) {
    const box = placeAt(now.text, target);
    return box === undefined ? -1 : now.boxes.indexOf(box);
  }

  if (result.measured.interactions?.length) dom.onWindow("resize", arcs);
  holder.addEventListener("pointerover", (event) => {
    const place = placeOf(event.target);
    if (place >= 0) showValues(place);
    else showPinned();
  });
  holder.addEventListener("pointerleave", showPinned);
  holder.addEventListener("focusin", (event) => {
    const place = placeOf(event.target);
    if (place < 0) return;
    showValues(place);
    dom.say([nameOf(place), ...values(place)].join(", "));
  });
  holder.addEventListener("focusout", showPinned);
  holder.addEventListener("click", (event) => {
    const place = placeOf(event.target);
    if (place < 0) return;
    moveTo(place, false);
    pin(place);
  });
  holder.addEventListener("keydown", (event) => {
    const place = placeOf(event.target);
    if (place < 0) return;
    const target = arrowKeyTarget(now.spans, place, event);
    if (target !== null) moveTo(target, true);
    else if (event.key === "Enter" || event.key === " ") pin(place);
    else return;
    event.preventDefault();
  });

  runScoresPage(dom, source, tooltip, store, {
    texts: () => [now.text],
    name: () => state.unit,
    table: () => [
      ["place", "text", "score", "scaled", "rank"],
      ...now.spans.map((span, place) => [
        place,
        span.textContent ?? "",
        now.scores[place],
        now.scaled[place],
        now.ranks[place],
      ]),
    ],
    legends: () => [legend()],
    show,
    also: (key) => (key === "unit" ? { pin: -1 } : {}),
    keys: {
      Escape: () => update({ pin: -1 }),
      w: () => update({ unit: state.unit === "word" ? "token" : "word", pin: -1 }),
    },
  });
}
