// Layers × heads as thumbnails, in order or sorted by a statistic.

import { stepOf } from "../colour.js";
import { element } from "../dom.js";
import { number, percent } from "../format.js";
import { drawScatter } from "./scatter.js";
import { curvedLegend, shareName } from "./map_legend.js";
import { image, write } from "../svg.js";
import { pairs } from "./view_state.js";
import { later, t } from "../speech.js";

/**
 * @typedef {import("./map_cache.js").Place} Place
 * @typedef {import("./view_state.js").State} State
 * @typedef {import("../source.js").Manifest} Manifest
 * @typedef {import("./view_model.js").Models} Models
 */

/** name -> [short name, what it means, whether it is a share] @type {Record<string, [string, string, boolean]>} */
export const STATISTICS = {
  sink: [later("sink"), later("the most that one key takes from the mean query"), true],
  entropy: [later("entropy"), later("mean entropy of a row, in nats: how spread the head looks"), false],
  distance: [later("distance"), later("mean distance from query to key, in tokens"), false],
  previous: [later("previous token"), later("mean share on the token before the query"), true],
  same_word: [later("same word"), later("mean share on the other tokens of the query’s word"), true],
  first: [later("first token"), later("mean share on the first token"), true],
  negative: [later("negative"), later("mean share of a row’s weights, without signs, that is negative"), true],
  special: [later("special tokens"), later("mean share on special tokens"), true],
  effect: [
    later("effect"),
    later(
      "what a target loses without the head: exact where it was taken away, else an estimate; red speaks for the target, blue against it",
    ),
    false,
  ],
  effect_size: [later("strong effect"), later("how much a target changes without the head, up or down"), false],
};

/** @param {string} name @param {number} value */
const writeStatistic = (name, value) => (STATISTICS[name]?.[2] ? percent(value) : number(value));

/** Rows and columns of a thumbnail. @param {Manifest} manifest */
export const thumbnailShape = ({ queries, keys }) => [Math.min(64, queries.length), Math.min(64, keys.length)];

/** @param {HTMLCanvasElement} canvas @param {Uint8Array} bytes fourth roots, signed ones around 128
 * @param {number} rows @param {number} columns
 * @param {import("./view_model.js").Paint} paint */
export function paintThumbnail(canvas, bytes, rows, columns, paint) {
  [canvas.width, canvas.height] = [columns, rows];
  const pen = canvas.getContext("2d");
  const pixels = new ImageData(columns, rows);
  const out = new Uint32Array(pixels.data.buffer);
  const share = (/** @type {number} */ code) =>
    paint.signed ? Math.sign(code - 128) * (Math.abs(code - 128) / 127) ** 4 : (code / 255) ** 4;
  const steps = Uint32Array.from({ length: 256 }, (_, code) => paint.words[paint.stepOf(share(code))]);
  for (let i = 0; i < out.length; i++) out[i] = steps[bytes[i]];
  pen?.putImageData(pixels, 0, 0);
}

/** @param {State} state @param {Models} models */
export const thumbnailLegend = (state, models) =>
  curvedLegend(
    state,
    models.colours(state),
    null,
    shareName({ ...state, renorm: false }, models.paintOf(state)),
    t("of each head’s largest"),
    models.paintOf(state).signed,
  );

/** Places in the order in which they are shown. @param {Manifest} manifest @param {State} state @returns {Place[]} */
function order({ layers, heads, statistics }, { sort }) {
  const all = layers.flatMap((_, layer) => heads.map((_, head) => /** @type {Place} */ ([layer, head])));
  const [name, down] = [sort.replace(/^-/, ""), !sort.startsWith("-")];
  const numbers = statistics[name];
  if (!numbers) return all;
  return all.sort((a, b) => (numbers[b[0]][b[1]] - numbers[a[0]][a[1]]) * (down ? 1 : -1));
}

/** @param {Manifest} manifest @param {State} state @returns {(string | number)[][]} */
export function statisticsTable(manifest, state) {
  const { layers, heads, statistics } = manifest;
  const names = Object.keys(statistics);
  const rows = order(manifest, state).map(([l, h]) => [
    layers[l],
    heads[h],
    ...names.map((name) => statistics[name][l][h]),
  ]);
  return [["layer", "head", ...names], ...rows];
}

/** @param {import("./views.js").Context} context @returns {import("./views.js").View} */
export function createOverview({ dom, manifest, state, update, models, cache, failed }) {
  const { layers, heads, statistics } = manifest;
  const field = dom.part("tiles");
  /** @type {HTMLButtonElement[]} */
  const tiles = [];
  let paintedAs = "";
  let arrangedAs = "nothing yet";

  function build() {
    layers.forEach((_, layer) =>
      heads.forEach((_, head) => {
        const tile = /** @type {HTMLButtonElement} */ (element("button", "", "tile"));
        tile.dataset.place = `${layer} ${head}`;
        tile.append(
          element("canvas"),
          element("span", `${layers[layer]}·${heads[head]}`, "name"),
          element("span", "", "stat"),
        );
        tiles.push(tile);
      }),
    );
    field.append(...tiles);
    const placeAt = (/** @type {Event} */ event) =>
      /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".tile"))?.dataset.place
        ?.split(" ")
        .map(Number);
    field.addEventListener("click", (event) => {
      const place = placeAt(event);
      if (!place) return;
      const [layer, head] = [layers[place[0]], heads[place[1]]];
      if (event.ctrlKey || event.metaKey || event.shiftKey) choose(layer, head);
      else update({ view: "head", layer, head, from: "head" });
    });
    field.addEventListener("focusin", (event) => {
      const place = placeAt(event);
      if (place) update({ layer: layers[place[0]], head: heads[place[1]] });
    });
    field.addEventListener("keydown", moveFocus);
  }

  /** Adds a head to the selection whose mean the other views show, or removes it. @param {number} layer
   * @param {number} head */
  function choose(layer, head) {
    const before = pairs(state.chosen).map((pair) => pair.join("."));
    const name = `${layer}.${head}`;
    const after = before.includes(name) ? before.filter((other) => other !== name) : [...before, name];
    update({ chosen: after.join(" "), from: after.length ? "chosen" : "head" });
    dom.say(t("{count} heads selected", { count: after.length }));
  }

  /** @param {KeyboardEvent} event */
  function moveFocus(event) {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const inOrder = /** @type {HTMLElement[]} */ ([...field.querySelectorAll(".tile")]);
    const now = inOrder.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const wide = inOrder.filter((tile) => tile.offsetTop === inOrder[0].offsetTop).length;
    /** @type {Record<string, number>} */
    const targets = {
      ArrowRight: now + 1,
      ArrowLeft: now - 1,
      ArrowDown: now + wide,
      ArrowUp: now - wide,
      Home: 0,
      End: inOrder.length - 1,
    };
    if (event.key === " ") {
      const [layer, head] = (inOrder[now].dataset.place ?? "").split(" ").map(Number);
      choose(layers[layer], heads[head]);
    } else if (event.key in targets) inOrder[targets[event.key]]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Where there are no maps, colours a tile by the statistic instead. @param {HTMLElement} tile
   * @param {number} part */
  function fillTile(tile, part) {
    const canvas = /** @type {HTMLCanvasElement} */ (tile.firstChild);
    [canvas.width, canvas.height] = [1, 1];
    const pen = canvas.getContext("2d");
    if (!pen) return;
    pen.fillStyle = models.paintOf(state).colours[stepOf(part)];
    pen.fillRect(0, 0, 1, 1);
  }

  const strongest = Math.max(0, ...(statistics.effect_size ?? []).flat());

  /** The head's effect, if effects came with the data, as the colour of its tile's foot. @param {HTMLElement} tile
   * @param {number} layer @param {number} head places @param {boolean} shown */
  function colourByEffect(tile, layer, head, shown) {
    tile.classList.toggle("weighed", strongest > 0 && shown);
    if (strongest > 0 && shown) {
      const paint = models.signedPaint();
      tile.style.setProperty("--effect", paint.colours[paint.stepOf(statistics.effect[layer][head] / strongest)]);
    }
  }

  async function paint() {
    const colours = models.paintOf(state);
    const look = JSON.stringify([colours.colours[63], state.curve, state.gamma]);
    if (look === paintedAs || !manifest.thumbnails) return;
    paintedAs = look;
    let bytes;
    try {
      bytes = await cache.thumbnails();
    } catch (error) {
      failed(error);
      return;
    }
    const [rows, columns] = thumbnailShape(manifest);
    tiles.forEach((tile, i) => {
      const part = bytes.subarray(i * rows * columns, (i + 1) * rows * columns);
      paintThumbnail(/** @type {HTMLCanvasElement} */ (tile.firstChild), part, rows, columns, colours);
    });
  }

  function arrange() {
    const name = state.sort.replace(/^-/, "");
    const numbers = statistics[name];
    const flat = numbers?.flat() ?? [];
    const [least, most] = [Math.min(...flat), Math.max(...flat)];
    const chosen = new Set(pairs(state.chosen).map((pair) => pair.join(".")));
    field.classList.toggle("sorted", Boolean(numbers));
    field.style.setProperty("--wide", String(heads.length));
    const sorted = order(manifest, state).map(([layer, head]) => {
      const tile = tiles[layer * heads.length + head];
      const stat = /** @type {HTMLElement} */ (tile.lastChild);
      const value = numbers?.[layer][head];
      const part = value === undefined ? 0 : (value - least) / (most - least || 1);
      stat.textContent = value === undefined ? "" : writeStatistic(name, value);
      tile.style.setProperty("--part", String(part));
      colourByEffect(tile, layer, head, !numbers || name.startsWith("effect"));
      if (!manifest.thumbnails && value !== undefined) fillTile(tile, part);
      tile.setAttribute("aria-pressed", String(chosen.has(`${layers[layer]}.${heads[head]}`)));
      const missing = manifest.missing.includes(layers[layer]) ? t(", left out of this file") : "";
      const said = value === undefined ? "" : `, ${name} ${stat.textContent}`;
      tile.setAttribute(
        "aria-label",
        t("layer {layer}, head {head}", { layer: layers[layer], head: heads[head] }) + said + missing,
      );
      return tile;
    });
    if (sorted.some((tile, i) => field.children[i] !== tile)) field.replaceChildren(...sorted);
    dom.part("sort-says").textContent = numbers ? t(STATISTICS[name][1]) : "";
    scatter(name);
  }

  /** Where effects came with the data: the statistic that heads are sorted by, against them. @param {string} name */
  function scatter(name) {
    const attention = Object.keys(STATISTICS).filter((other) => other in statistics && !other.startsWith("effect"));
    const across = attention.includes(name) ? name : attention[0];
    const holder = dom.part("scatter");
    holder.hidden = !("effect" in statistics && across);
    if (holder.hidden) return;
    const title = STATISTICS[across][0];
    drawScatter(holder, manifest, { name: across, title }, (layer, head) =>
      update({ view: "head", layer, head, from: "head" }),
    );
  }

  return {
    needsMap: false,
    sourceName: () => t("{layers} layers × {heads} heads", { layers: layers.length, heads: heads.length }),
    show() {
      if (!tiles.length) build();
      const look = [state.sort, state.chosen, models.signedPaint().colours[63]].join();
      if (look !== arrangedAs) arrange();
      arrangedAs = look;
      const here = layers.indexOf(state.layer) * heads.length + heads.indexOf(state.head);
      tiles.forEach((tile, i) => {
        tile.classList.toggle("here", i === here);
        tile.tabIndex = i === here ? 0 : -1;
      });
      void paint();
    },
    follow: () => undefined,
    legend: () => thumbnailLegend(state, models),
    svg() {
      const from = field.getBoundingClientRect();
      const ink = dom.colour("--muted");
      const parts = [];
      for (const tile of field.querySelectorAll(".tile")) {
        const canvas = /** @type {HTMLCanvasElement} */ (tile.firstChild);
        const bounds = canvas.getBoundingClientRect();
        parts.push(image(canvas, bounds.left - from.left, bounds.top - from.top, bounds.width, bounds.height));
        const stat = tile.lastChild?.textContent ? `  ${tile.lastChild.textContent}` : "";
        const label = (tile.children[1].textContent ?? "") + stat;
        const [x, y] = [bounds.left - from.left, bounds.bottom - from.top + 13];
        parts.push(write(x, y, label, ` font-size="10" fill="${ink}"`));
      }
      return { parts, width: from.width, height: from.height };
    },
    table: () => statisticsTable(manifest, state),
  };
}
