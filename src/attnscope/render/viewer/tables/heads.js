// Adds to a page of head profiles, which can be read without it: what one head is for, in the texts that show it.

import { Dom } from "../dom.js";
import { listenButtons } from "./tables.js";
import { t } from "../speech.js";

/** @typedef {{ statistics: string[], places: [number, number][], mean: (number | null)[][], low: (number | null)[][],
 *   high: (number | null)[][], count: number[][], strongest: [number, number][][][],
 *   examples: Record<string, string> }} Profiles */

/** @param {number | null} value */
const short = (value) => (value === null ? "" : Number(value.toPrecision(3)).toString());

/** The statistics of a head, those in which it ranks first before the others. @param {Profiles} data
 * @param {number} place */
export function aboutHead(data, place) {
  return data.statistics
    .map((name, i) => ({
      statistic: i,
      name: name.replaceAll("_", " "),
      mean: data.mean[i][place],
      low: data.low[i][place],
      high: data.high[i][place],
      rank: 1 + data.mean[i].filter((other) => (other ?? -Infinity) > (data.mean[i][place] ?? -Infinity)).length,
      texts: data.strongest[i][place].map(([number]) => data.examples[number]).filter(Boolean),
    }))
    .filter(({ mean }) => mean !== null)
    .sort((a, b) => Number(!a.mean) - Number(!b.mean) || a.rank - b.rank);
}

/** @param {string} name @param {string} [text] */
function element(name, text) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** @param {HTMLElement} root @param {import("../source.js").ResultSource} source */
export function start(root, source) {
  const dom = new Dom(root);
  /** @type {Profiles} */
  const data = JSON.parse(source.result());
  const panel = dom.part("head");
  const names = data.places.map(([layer, head]) => `${layer}.${head}`);
  // In the page's language, as Python wrote them.
  const titles = [...root.querySelectorAll(".grids h2")].map((heading) => heading.textContent ?? "");

  /** @param {string} name */
  function show(name) {
    const place = names.indexOf(name);
    for (const cell of root.querySelectorAll(".grid td")) {
      cell.classList.toggle("on", cell.firstElementChild?.getAttribute("data-head") === name);
    }
    const body = element("tbody");
    for (const one of aboutHead(data, place)) {
      const row = element("tr");
      const interval = one.low === null ? "" : ` [${short(one.low)}, ${short(one.high)}]`;
      const texts = element("td");
      texts.append(...one.texts.map((text) => element("q", text)));
      row.append(
        element("th", titles[one.statistic]),
        element("td", `${short(one.mean)}${interval}`),
        element("td", t("{rank} of {count}", { rank: one.rank, count: names.length })),
        texts,
      );
      body.append(row);
    }
    const head = element("thead");
    const heads = element("tr");
    heads.append(
      ...[t("statistic"), t("mean"), t("rank"), t("texts in which it is largest")].map((text) => element("th", text)),
    );
    head.append(heads);
    const table = element("table");
    table.append(head, body);
    panel.replaceChildren(element("h2", t("Head {name}", { name })), table);
    panel.hidden = false;
    panel.scrollIntoView({ block: "nearest" });
  }

  root.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-head]") : null;
    const name = button?.getAttribute("data-head");
    if (name) show(name);
  });
  listenButtons(dom, source, "attnscope-heads", () => [
    ["layer", "head", "statistic", "mean", "low", "high", "texts"],
    ...data.statistics.flatMap((name, i) =>
      data.places.map(([layer, head], p) => [
        layer,
        head,
        name,
        ...[data.mean[i][p], data.low[i][p], data.high[i][p], data.count[i][p]].map((cell) => cell ?? ""),
      ]),
    ),
  ]);
}
