// Adds to a page of comparisons, which can be read without it: values on hover and focus, arrow keys from pair to
// pair. It knows the documented JSON (docs/schema.md); text enters the page only through textContent.

import { arrowKeyTarget, moveTabStop } from "../arrow_keys.js";
import { Dom } from "../dom.js";
import { number } from "../format.js";
import { filterable, listenButtons, sortable } from "./tables.js";
import { createTooltip } from "../tooltip.js";
import { later, t } from "../speech.js";

/**
 * @typedef {{text: string, score: number}} Word
 * @typedef {{name: string, result: {words: Word[]}, ranks: number[]}} Side
 * @typedef {{left: number | null, right: number | null, edit: string, change: number, rank_change: number | null,
 *   restores: number | null}} Pair
 * @typedef {{left: Side, right: Side, pairs: Pair[], tags: Record<string, string>}} Comparison
 */

/** Sides that the user has not named. @type {Record<string, string>} */
const NAMES = { clean: later("clean"), adversarial: later("adversarial") };

/** @param {Side} side */
const sideName = ({ name }) => t(NAMES[name] ?? name);

/** @param {Side} side @param {number | null} index */
function sideLine(side, index) {
  if (index === null) return t("{side}: nothing", { side: sideName(side) });
  const word = side.result.words[index];
  return t("{side}: {word}, score {score}, rank {rank} of {count}", {
    side: sideName(side),
    word: word.text.trim(),
    score: number(word.score),
    rank: side.ranks[index],
    count: side.ranks.length,
  });
}

/** @param {Comparison} comparison @param {Pair} pair */
function values(comparison, pair) {
  const lines = [sideLine(comparison.left, pair.left), sideLine(comparison.right, pair.right)];
  const places = `${Number(pair.rank_change) > 0 ? "+" : ""}${pair.rank_change}`;
  const moved = pair.rank_change === null ? "" : t(", places {places}", { places });
  lines.push(t("change {change}", { change: number(pair.change) }) + moved);
  if (pair.restores !== null)
    lines.push(t("undone alone: {points} points", { points: (100 * pair.restores).toFixed(1) }));
  return lines;
}

const COLUMNS = ["kind", "left", "right", "left_score", "right_score", "change", "left_rank", "right_rank"];

/** A row for each pair of words, as attnscope's own CSV has them. @param {Comparison[]} comparisons
 * @param {boolean} many whether rows say which comparison they are of @returns {(string | number)[][]} */
function tableOf(comparisons, many) {
  /** @param {Side} side @param {number | null} index */
  const word = (side, index) => (index === null ? null : { ...side.result.words[index], rank: side.ranks[index] });
  const rows = comparisons.flatMap(({ left, right, pairs, tags }, number) =>
    pairs.map((pair) => {
      const [before, after] = [word(left, pair.left), word(right, pair.right)];
      const cells = [pair.edit, before?.text, after?.text, before?.score, after?.score, pair.change];
      const ranks = [before?.rank, after?.rank, pair.rank_change, pair.restores];
      const of = many ? [number + 1, tags.task, tags.attack] : [];
      return [...of, ...cells, ...ranks].map((cell) => cell ?? "");
    }),
  );
  return [[...(many ? ["pair", "task", "attack"] : []), ...COLUMNS, "rank_change", "restores"], ...rows];
}

/** @param {HTMLElement} root @param {import("../source.js").ResultSource} source
 * @param {import("../url_state.js").Address | null} address of the pair that is shown, where there are several */
export function start(root, source, address = null) {
  const dom = new Dom(root);
  const data = JSON.parse(source.result());
  /** @type {Comparison[]} */
  const comparisons = data.type === "comparisons" ? data.pairs : [data];
  const tooltip = createTooltip(dom);
  const lists = dom.all(".pairs");

  lists.forEach((list, which) => {
    const items = /** @type {HTMLElement[]} */ ([...list.children]);
    if (!items.length) return;
    items[0].tabIndex = 0;
    /** @param {EventTarget | null} target */
    const place = (target) => items.findIndex((item) => target instanceof Node && item.contains(target));
    /** @param {EventTarget | null} target @param {boolean} spoken */
    const show = (target, spoken) => {
      const index = place(target);
      if (index < 0) return tooltip.hide();
      const lines = values(comparisons[which], comparisons[which].pairs[index]);
      tooltip.showAbove(items[index], null, lines);
      if (spoken) dom.say(lines.join("; "));
    };
    list.addEventListener("pointerover", (event) => show(event.target, false));
    list.addEventListener("pointerleave", tooltip.hide);
    list.addEventListener("focusin", (event) => show(event.target, true));
    list.addEventListener("focusout", tooltip.hide);
    list.addEventListener("keydown", (event) => {
      const index = place(document.activeElement);
      const target = index < 0 ? null : arrowKeyTarget(items, index, event);
      if (target === null) return;
      event.preventDefault();
      moveTabStop(items[index], items[target], true);
    });
  });

  if (root.querySelector(".sheet")) {
    address?.onChange(() => {
      scrollTo(0, 0);
      tooltip.hide();
    });
  }

  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tooltip.hide();
  });
  addEventListener("scroll", tooltip.followScroll, { passive: true });
  for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (root.querySelectorAll("table.all"))) sortable(table);
  filterable(root);
  listenButtons(dom, source, "attnscope-comparison", () => tableOf(comparisons, data.type === "comparisons"));
}
