// What a state means for the data: which maps, in which units, with which colours.

import { bend, stepOf, TABLE, table, words32 } from "../colour.js";
import { pairs } from "./view_state.js";
import { addRow, codeAt } from "./sparse_map.js";
import { axis } from "../units.js";
import { t } from "../speech.js";

/**
 * @typedef {import("./view_state.js").State} State
 * @typedef {import("../units.js").Axis} Axis
 * @typedef {import("./map_cache.js").CachedMap} CachedMap
 * @typedef {import("./map_cache.js").Place} Place
 * @typedef {{colours: string[], words: Uint32Array, table: Uint8Array, stepOf: (scaled: number) => number,
 *   signed: boolean}} Paint  signed: scaled values run from -1 to 1
 * @typedef {{state: State, map: CachedMap, query: Axis, key: Axis, rows: Int32Array, columns: Int32Array, paint: Paint,
 *   highest: number}} ViewModel
 * rows, columns: the units that are shown. highest: the largest value of the map that is shown.
 * @typedef {ReturnType<typeof createModels>} Models
 */

/** @param {Axis} axis @param {number} count */
function unitOf(axis, count) {
  if (axis.units.length === count && axis.units.every((unit) => unit.members.length === 1)) return null;
  const unitOfToken = new Int32Array(count);
  axis.units.forEach((unit, i) => unit.members.forEach((member) => (unitOfToken[member] = i)));
  return unitOfToken;
}

/** @param {Axis} axis */
const specials = (axis) => Uint8Array.from(axis.units, (unit) => Number(unit.special));

/** Indices of the units that are shown. @param {Axis} axis @param {boolean} special */
const shown = (axis, special) =>
  Int32Array.from(axis.units.flatMap((unit, i) => (special || !unit.special ? [i] : [])));

/** @param {import("../source.js").Manifest} manifest @param {() => boolean} isDark */
export function createModels(manifest, isDark) {
  const { sides, layers, heads, queries, keys, continued, palettes, signed } = manifest;
  const oneText = sides.length === 1;
  /** @type {Map<string, {query: Axis, key: Axis}>} */
  const known = new Map();

  /** Both axes in words or tokens. @param {string} unit */
  function axes(unit) {
    let pair = known.get(unit);
    if (!pair) {
      const words = unit === "word";
      const query = axis(sides[0], queries, words, continued);
      const same = oneText && queries.join() === keys.join();
      pair = { query, key: same ? query : axis(sides[sides.length - 1], keys, words, continued) };
      known.set(unit, pair);
    }
    return pair;
  }

  /** The maps whose mean is shown. @param {State} state @returns {Place[]} */
  function wanted(state) {
    const layer = Math.max(0, layers.indexOf(state.layer));
    const head = Math.max(0, heads.indexOf(state.head));
    if (state.from === "layer") return heads.map((_, i) => [layer, i]);
    if (state.from === "chosen") {
      const chosen = pairs(state.chosen)
        .map(([l, h]) => /** @type {Place} */ ([layers.indexOf(l), heads.indexOf(h)]))
        .filter(([l, h]) => l >= 0 && h >= 0);
      if (chosen.length) return chosen;
    }
    return [[layer, head]];
  }

  /** Where the map comes from, in words. @param {State} state */
  function mapSourceName(state) {
    if (state.from === "layer")
      return t("layer {layer}, mean of {count} heads", { layer: state.layer, count: heads.length });
    if (state.from === "chosen" && pairs(state.chosen).length) {
      const names = wanted(state).map(([l, h]) => `${layers[l]}·${heads[h]}`);
      return t("mean of {heads}", {
        heads:
          names.slice(0, 6).join(", ") + (names.length > 6 ? t(" and {count} more", { count: names.length - 6 }) : ""),
      });
    }
    return t("layer {layer}, head {head}", { layer: state.layer, head: state.head });
  }

  /** The cache name of the map for this state. @param {State} state */
  const mapName = (state) =>
    [wanted(state).join(" "), state.unit, Number(state.special), Number(state.sinks)].join("|");

  /** What the worker has to know about the units. @param {State} state @returns {import("./worker.js").Units} */
  function unitsOf(state) {
    const { query, key } = axes(state.unit);
    return {
      nq: query.units.length,
      nk: key.units.length,
      rowOf: unitOf(query, queries.length),
      columnOf: unitOf(key, keys.length),
      specialQueries: specials(query),
      left: state.special ? new Uint8Array(key.units.length) : specials(key),
      hideSinks: !state.sinks && !manifest.coding.signed,
    };
  }

  /** The current 64 colours. @param {State} state */
  const colours = (state) =>
    (manifest.coding.signed ? signed : (palettes[state.palette] ?? palettes.ember))[isDark() ? 1 : 0];

  /** @param {State} state @returns {Paint} */
  function paintOf(state) {
    const steps = colours(state);
    const bent = bend(state.curve, state.gamma);
    if (manifest.coding.signed) {
      const step = (/** @type {number} */ scaled) =>
        stepOf((1 + Math.sign(scaled) * bent(Math.min(1, Math.abs(scaled)))) / 2);
      return {
        colours: steps,
        words: words32(steps),
        table: Uint8Array.from({ length: TABLE }, (_, i) => step((2 * i) / (TABLE - 1) - 1)),
        stepOf: step,
        signed: true,
      };
    }
    return {
      colours: steps,
      words: words32(steps),
      signed: false,
      table: table(state.curve, state.gamma),
      stepOf: (scaled) => stepOf(bent(Math.min(1, Math.max(0, scaled)))),
    };
  }

  /** The colours of differences, -1 to 1. @returns {Paint} */
  function signedPaint() {
    const steps = signed[isDark() ? 1 : 0];
    return {
      colours: steps,
      words: words32(steps),
      table: new Uint8Array(),
      signed: true,
      stepOf: (scaled) => stepOf((scaled + 1) / 2),
    };
  }

  /** @param {State} state @param {CachedMap} map @returns {ViewModel} */
  function modelOf(state, map) {
    const { query, key } = axes(state.unit);
    const rows = shown(query, state.special);
    const model = {
      state,
      map,
      query,
      key,
      rows,
      columns: shown(key, state.special),
      paint: paintOf(state),
      highest: 0,
    };
    for (const q of rows) model.highest = Math.max(model.highest, map.peaks[q] * norm(model, q));
    return model;
  }

  return { oneText, axes, wanted, mapSourceName, mapName, unitsOf, colours, paintOf, signedPaint, modelOf };
}

/** The factor of a row: if renormalised, what is shown of it sums to one. @param {ViewModel} model @param {number} q */
export const norm = ({ state, map }, q) => (state.renorm && map.sums[q] > 0 ? 1 / map.sums[q] : 1);

/** The value that is shown; 0 where its key is left out. @param {ViewModel} model @param {number} q @param {number} k */
export function value(model, q, k) {
  const { map } = model;
  if (map.hidden[k]) return 0;
  return map.levels[codeAt(map, q, k)] * map.largest[q] * norm(model, q);
}

/** The value that has full colour in a row. @param {ViewModel} model @param {number} q */
export function ceiling(model, q) {
  const { scale } = model.state;
  return scale === "fixed" ? 1 : scale === "map" ? model.highest : model.map.peaks[q] * norm(model, q);
}

/** What a unit attends to (dir "to"), or what attends to it, in the units of the other side.
 * @param {ViewModel} model @param {number} unit @param {string} dir @returns {Float32Array} */
export function values(model, unit, dir) {
  const { map } = model;
  if (dir === "to") {
    const row = new Float32Array(map.nk);
    addRow(row, map, unit, norm(model, unit));
    map.hidden.forEach((hidden, k) => hidden && (row[k] = 0));
    return row;
  }
  const shownRows = new Set(model.rows);
  return Float32Array.from({ length: map.nq }, (_, q) => (shownRows.has(q) ? value(model, q, unit) : 0));
}

/** The largest of a row, without signs. @param {Float32Array} row */
export const largestOf = (row) => row.reduce((a, b) => Math.max(a, Math.abs(b)), 0);

/** A row of tokens in the units of an axis. @param {Axis} axis @param {Float32Array} tokens */
export const inUnits = ({ units }, tokens) =>
  Float32Array.from(units, ({ members }) => members.reduce((sum, member) => sum + tokens[member], 0));

/** The share of a row that is left out. @param {ViewModel} model @param {number} q */
export const leftOut = ({ map }, q) => (map.totals[q] > 0 ? 1 - map.sums[q] / map.totals[q] : 0);

/** The mean share that is left out, over the rows shown. @param {ViewModel} model */
export function meanLeftOut(model) {
  let sum = 0;
  for (const q of model.rows) sum += leftOut(model, q);
  return model.rows.length ? sum / model.rows.length : 0;
}
