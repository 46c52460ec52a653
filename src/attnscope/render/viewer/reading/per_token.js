// The scores of one generated token at a time. It is picked by the radio buttons (whose arrow keys are the browser's
// own), by a click on the token in the text, or on its row of the matrix. This module knows the documented JSON
// (docs/schema.md) and nothing else; text enters the page only through textContent.

import { stepOf } from "../colour.js";
import { Dom, setPhrase, setText } from "../dom.js";
import { label, number, short } from "../format.js";
import { showLegend, threeTicks } from "../legend.js";
import { ends } from "../scores.js";
import { runScoresPage, stepColours } from "./scores_page.js";
import { colourByClass, elementOf, unitAt, writtenText } from "../text_view.js";
import { createTooltip } from "../tooltip.js";
import { createTopTable } from "../top_table.js";
import { apart } from "../units.js";
import { createStore } from "../url_state.js";
import { phrase, t } from "../speech.js";

/**
 * @typedef {{text: string, start: number, end: number, special: boolean}} Token
 * @typedef {{text: string, start: number, end: number}} Word
 * @typedef {{first: {signed?: boolean, text: string, tokens: Token[], words: Word[]},
 *   targets: {text: string, index: number | null, value: number, tokens?: number}[], word_scores: number[][]}} Result
 */

const TOP = 12;

/** @param {number} score @param {[number, number]} ends */
const stepFor = (score, [low, high]) => stepOf(low === high ? 0.5 : (score - low) / (high - low));

/** Where the last of these ends. @param {Token[]} some */
const endOf = (some) => some.reduce((end, token) => Math.max(end, token.end), 0);

/** @param {HTMLElement} root @param {import("../source.js").ResultSource} source
 * @param {import("../url_state.js").Address | null} address */
export function start(root, source, address = null) {
  const dom = new Dom(root);
  const tooltip = createTooltip(dom);
  const showTop = createTopTable(dom);
  /** @type {Result} */
  const result = JSON.parse(source.result());
  const { words, tokens } = result.first;
  const signed = Boolean(result.first.signed);
  const holder = dom.part("text");
  const text = writtenText(
    holder,
    apart(
      result.first.text,
      words.map(({ start, end }) => [start, end]),
    ),
    () => 0,
  );
  const unitName = dom.part("unit-name").textContent ?? "";
  const matrix = root.querySelector(".matrix");
  const cells = /** @type {SVGRectElement[]} */ ([...(matrix?.querySelectorAll("rect:not(.mark)") ?? [])]);

  const store = createStore(
    { target: 0, range: "own", find: "", theme: "" },
    { range: ["own", "one"], theme: ["", "light", "dark"] },
    address,
    (state) => ({ ...state, target: Math.max(0, Math.min(Math.floor(state.target), result.targets.length - 1)) }),
  );
  const { state, update } = store;

  /** The place of a target in the text; undefined if it is not there. @param {number} target */
  function placeOf(target) {
    const { index, tokens: count = 1 } = result.targets[target];
    if (index === null) return undefined;
    return { start: tokens[index].start, end: endOf(tokens.slice(index, index + count)) };
  }

  /** The words that a target was scored on: those with a token before its last one. @param {number} target */
  function readBy(target) {
    const { index, tokens: count = 1 } = result.targets[target];
    const end = index === null ? Infinity : endOf(tokens.slice(0, index + count - 1));
    return [...words.keys()].filter((i) => words[i].start < end);
  }

  /** The numbers at the ends of a token's colours. @param {number} target */
  function endsOf(target) {
    const rows = state.range === "one" ? [...result.targets.keys()] : [target];
    return ends(
      rows.flatMap((row) => readBy(row).map((i) => result.word_scores[row][i])),
      signed,
    );
  }

  /** @returns {import("../legend.js").Legend} */
  const legend = () => ({
    get colours() {
      return stepColours(dom, "s");
    },
    ticks: threeTicks(endsOf(state.target), number),
    unit: phrase(t("{measure} of “{token}” per word", { measure: unitName }), {
      token: label(result.targets[state.target].text),
    }),
  });
  const valueNote = () => t("value {value}", { value: number(result.targets[state.target].value) });

  /** @param {typeof state | null} before */
  function show(before) {
    const target = state.target;
    const limits = endsOf(target);
    const scores = result.word_scores[target];
    const place = placeOf(target);
    const read = new Set(readBy(target));
    colourByClass(text, ([word]) => stepFor(scores[word], limits));
    text.spans.forEach((span, i) => {
      span.classList.toggle("later", !read.has(i));
      span.classList.toggle("q", place !== undefined && words[i].start < place.end && place.start < words[i].end);
    });
    showLegend(dom, legend());
    setText(dom.part("value"), valueNote());
    matrix?.querySelector(".mark")?.setAttribute("y", String(target));
    if (!before || before.range !== state.range) paintMatrix();

    const name = label(result.targets[target].text);
    const size = (/** @type {number} */ i) => (signed ? Math.abs(scores[i]) : scores[i]);
    const [low, high] = limits;
    const best = [...read]
      .filter((i) => words[i].text.trim())
      .sort((a, b) => size(b) - size(a))
      .slice(0, TOP);
    setPhrase(dom.part("top-title"), phrase("{token} relied on", { token: short(name, 40) }));
    const lines = best.map((i) => ({
      unit: i,
      label: short(label(words[i].text), 40),
      share: signed ? size(i) / (high || 1) : (scores[i] - low) / (high - low || 1),
      step: stepFor(scores[i], limits),
      last: number(scores[i]),
    }));
    showTop(lines, (word) => elementOf(text, word)?.scrollIntoView({ block: "nearest" }));
    tooltip.hide();
    if (before && before.target !== target) {
      dom.say(
        t("{token} relied most on {words}", {
          token: name,
          words: lines
            .slice(0, 3)
            .map((line) => `${line.label} ${line.last}`)
            .join(", "),
        }),
      );
    }
  }

  /** Colours each row on its own range, or all on one. */
  function paintMatrix() {
    const limits = result.targets.map((_, i) => endsOf(i));
    for (const cell of cells)
      cell.setAttribute("class", `s${stepFor(Number(cell.dataset.v), limits[Number(cell.getAttribute("y"))])}`);
  }

  const chips = dom.all("[data-part=targets] label");
  /** The other way round: which tokens relied on this word, each on its own range; -1 for none.
   * @param {number} word */
  function showReaders(word) {
    chips.forEach((chip, target) => {
      const relied = word >= 0 && readBy(target).includes(word);
      const step = relied ? stepFor(result.word_scores[target][word], endsOf(target)) : -1;
      chip.classList.remove(...[...chip.classList].filter((name) => /^s\d+$/.test(name)));
      if (step >= 0) chip.classList.add(`s${step}`);
    });
  }

  holder.addEventListener("pointerover", (event) => {
    const word = unitAt(text, event.target);
    showReaders(word);
    if (word < 0) tooltip.hide();
    else
      tooltip.showAbove(text.spans[word], label(words[word].text), [
        t("score {score}", { score: number(result.word_scores[state.target][word]) }),
      ]);
  });
  holder.addEventListener("pointerleave", () => {
    showReaders(-1);
    tooltip.hide();
  });
  holder.addEventListener("click", (event) => {
    const word = words[unitAt(text, event.target)];
    if (!word) return;
    const target = [...result.targets.keys()].findIndex((i) => {
      const token = placeOf(i);
      return token !== undefined && token.start < word.end && word.start < token.end;
    });
    if (target >= 0) update({ target });
  });
  matrix?.addEventListener("click", (event) => {
    const { clientY } = /** @type {MouseEvent} */ (event);
    const box = matrix.getBoundingClientRect();
    const row = Math.floor(((clientY - box.top) / box.height) * result.targets.length);
    update({ target: Math.max(0, Math.min(row, result.targets.length - 1)) });
  });

  /** @param {number} by */
  const further = (by) => update({ target: (state.target + by + result.targets.length) % result.targets.length });

  runScoresPage(dom, source, tooltip, store, {
    texts: () => [text],
    name: () => "word",
    table: () => [
      ["target", "text", "value", ...words.map((word) => word.text)],
      ...result.targets.map((target, i) => [i, target.text, target.value, ...result.word_scores[i]]),
    ],
    legends: () => [legend()],
    notes: () => [valueNote()],
    show,
    keys: { ",": () => further(-1), ".": () => further(1), ArrowLeft: () => further(-1), ArrowRight: () => further(1) },
  });
}
