// Adds to the page of a citation, which can be read without it: the sources of one statement, intervals on hover.

import { stepOf } from "../colour.js";
import { Dom, setText } from "../dom.js";
import { number } from "../format.js";
import { createTooltip } from "../tooltip.js";
import { listenButtons } from "./tables.js";
import { later, t } from "../speech.js";

/**
 * @typedef {{text: string, value: number, without: number, cited: number[]}} Statement
 * @typedef {{name: string, title: string, text: string, level: string, parent: number | null}} Source
 * @typedef {{statements: Statement[], sources: Source[], scores: number[][], low: number[][] | null,
 *   high: number[][] | null, effects: (number | null)[][], unit: string}} Citation
 */

const COLUMNS = ["statement", "said", "source", "title", "level", "text", "score", "low", "high", "effect", "cited"];

/** A row for each statement and source, as attnscope's own table has them. @param {Citation} data
 * @returns {(string | number)[][]} */
const tableOf = (data) => [
  COLUMNS,
  ...data.statements.flatMap((one, k) =>
    data.sources.map(({ name, title, level, text }, i) =>
      [k + 1, one.text, name, title, level, text, data.scores[k][i]]
        .concat([data.low?.[k][i] ?? "", data.high?.[k][i] ?? "", data.effects[k][i] ?? ""])
        .concat(String(one.cited.includes(i))),
    ),
  ),
];

/** @type {Record<string, string>} */
const UNITS = { "share of attention": later("share of attention"), logits: later("logits"), nats: later("nats") };

/** @param {number} value */
const signed = (value) => `${value > 0 ? "+" : ""}${number(value)}`;

/** @param {HTMLElement} root @param {import("../source.js").ResultSource} source */
export function start(root, source) {
  const dom = new Dom(root);
  /** @type {Citation} */
  const data = JSON.parse(source.result());
  const tooltip = createTooltip(dom);
  const statements = dom.all("[data-statement]");
  const marked = dom.all("[data-source]");
  const list = dom.all(".list")[0];
  const sums = data.sources.map((_, i) => data.scores.reduce((sum, row) => sum + row[i], 0));
  /** The statement whose sources are shown; null: the whole answer. @type {number | null} */
  let chosen = data.statements.length === 1 ? 0 : null;

  /** @param {HTMLElement} element */
  const indexOf = (element) => Number(element.dataset.source);

  function draw() {
    const scores = chosen === null ? sums : data.scores[chosen];
    const largest = Math.max(0, ...data.sources.map((one, i) => (one.parent === null ? Math.abs(scores[i]) : 0)));
    for (const element of marked) {
      const score = scores[indexOf(element)];
      const step = `s${largest ? stepOf(0.5 + score / largest / 2) : 32}`;
      const rect = element.querySelector(":scope > svg rect");
      const holder = rect ?? element;
      for (const name of [...holder.classList]) if (/^s\d+$/.test(name)) holder.classList.remove(name);
      holder.classList.add(step);
      rect?.setAttribute("width", String(largest ? (100 * Math.abs(score)) / largest : 0));
      const written = element.querySelector(":scope > h3 .score");
      if (written) setText(written, signed(score));
    }
    const whole = marked.filter((element) => element.localName === "article");
    list.append(...whole.sort((a, b) => scores[indexOf(b)] - scores[indexOf(a)]));
    statements.forEach((element, k) => element.setAttribute("aria-pressed", String(k === chosen)));
    const all = chosen === null || data.statements.length === 1;
    setText(
      dom.all(".of")[0],
      all ? t("of the whole answer") : t("of statement {number}", { number: Number(chosen) + 1 }),
    );
  }

  /** @param {number} k */
  function choose(k) {
    chosen = chosen === k && data.statements.length > 1 ? null : k;
    tooltip.hide();
    draw();
    dom.say(
      chosen === null ? t("sources of the whole answer") : t("sources of statement {number}", { number: chosen + 1 }),
    );
  }

  /** What is known of a source for what is chosen. @param {number} i */
  function lines(i) {
    const of = chosen === null ? sums : data.scores[chosen];
    const found = [t("score {score} ({unit})", { score: signed(of[i]), unit: t(UNITS[data.unit] ?? data.unit) })];
    if (data.low && data.high) {
      const interval = chosen === null ? null : [data.low[chosen][i], data.high[chosen][i]].map(signed);
      found.push(
        interval
          ? t("95 % interval {low} to {high}", { low: interval[0], high: interval[1] })
          : t("choose a statement for its interval"),
      );
    }
    const effects = chosen === null ? data.effects.map((row) => row[i]) : [data.effects[chosen][i]];
    const measured = effects.filter((effect) => effect !== null);
    if (measured.length)
      found.push(t("without it {change} nats", { change: signed(-measured.reduce((sum, one) => sum + one, 0)) }));
    return found;
  }

  statements.forEach((element, k) => {
    element.tabIndex = 0;
    element.setAttribute("role", "button");
    element.addEventListener("click", () => choose(k));
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose(k);
    });
  });

  /** @param {EventTarget | null} target @param {boolean} spoken */
  function show(target, spoken) {
    const element = target instanceof Element ? target.closest("[data-statement], [data-source]") : null;
    if (!(element instanceof HTMLElement)) return tooltip.hide();
    if (element.dataset.statement !== undefined) {
      const one = data.statements[Number(element.dataset.statement)];
      const said = [
        t("log-probability {value} with all sources", { value: number(one.value) }),
        t("{value} with none of them", { value: number(one.without) }),
      ];
      return tooltip.showAbove(element, null, said);
    }
    const over = element.localName === "article" ? (element.querySelector("h3") ?? element) : element;
    const said = lines(indexOf(element));
    tooltip.showAbove(over, data.sources[indexOf(element)].name, said);
    if (spoken) dom.say(said.join("; "));
  }
  const area = dom.all(".cite")[0];
  area.addEventListener("pointerover", (event) => show(event.target, false));
  area.addEventListener("pointerleave", tooltip.hide);
  area.addEventListener("focusin", (event) => show(event.target, true));
  area.addEventListener("focusout", tooltip.hide);
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tooltip.hide();
  });
  addEventListener("scroll", tooltip.followScroll, { passive: true });
  draw();
  listenButtons(dom, source, "attnscope-citation", () => tableOf(data));
}
