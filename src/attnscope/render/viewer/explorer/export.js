// What is seen as a file: svg, png of the same, csv of its numbers.

import { csv } from "../format.js";
import { strip } from "./flow.js";
import { frame } from "./head.js";
import { focus, state } from "./hub.js";
import { front } from "./front.js";
import { download, say } from "../page.js";
import { order } from "./overview.js";
import { pixels } from "../picture.js";
import { value } from "./scene.js";
import { svg } from "./svg.js";
import { coloured } from "./text.js";

/** @typedef {import("./scene.js").Scene} Scene */

const name = () =>
  state.view === "overview" ? "attention-overview" : `attention-${state.view}-layer${state.layer}-head${state.head}`;

/** Digits of a number in a table: what the maps' eight bits hold, and some. @param {number} share */
const digits = (share) => Number(share.toPrecision(6));

/** @param {Scene | null} scene @returns {(string | number)[][]} */
export function table(scene) {
  if (state.view === "overview" || !scene) {
    const names = Object.keys(front.statistics);
    const rows = order().map(([l, h]) => [front.layers[l], front.heads[h], ...names.map((n) => front.statistics[n][l][h])]);
    return [["layer", "head", ...names], ...rows];
  }
  const { query, key, rows, columns } = scene;
  if (state.view === "flow") {
    const found = strip(scene) ?? [];
    const top = [...columns].map((k) => key.units[k].text);
    return [["input of layer", ...top], ...found.map((row, r) => [front.layers[found.length - 1 - r], ...[...columns].map((k) => digits(row[k]))])];
  }
  if (state.view === "text") {
    const { row } = coloured();
    const [units, shown] = state.dir === "to" || focus.unit < 0 ? [key.units, columns] : [query.units, rows];
    return [["place", "text", "value"], ...[...shown].map((i) => [i, units[i].text, digits(row[i])])];
  }
  // Of a map what is in the frame.
  const { window: view, width, height } = frame;
  const whole = state.view === "lines";
  const r = whole ? rows : rows.slice(Math.floor(view.y), Math.ceil(view.y + height / view.sy));
  const c = whole ? columns : columns.slice(Math.floor(view.x), Math.ceil(view.x + width / view.sx));
  return [
    ["query \\ key", ...[...c].map((k) => key.units[k].text)],
    ...[...r].map((q) => [query.units[q].text, ...[...c].map((k) => digits(value(scene, q, k)))]),
  ];
}

/** @param {string} kind "png", "svg" or "csv" @param {Scene | null} scene */
export async function save(kind, scene) {
  if (kind === "csv") {
    // The mark in front tells spreadsheets that it is UTF-8.
    download(`${name()}.csv`, new Blob(["\ufeff", csv(table(scene))], { type: "text/csv;charset=utf-8" }));
  } else {
    const drawn = new Blob([svg(scene)], { type: "image/svg+xml" });
    download(`${name()}.${kind}`, kind === "svg" ? drawn : await pixels(drawn));
  }
  say(`${kind} saved`);
}
