// Beside what is attended to, what matters: the effects of the words that came with the data, behind the same text.

import { stepOf, textOn } from "../colour.js";
import { number } from "../format.js";
import { ends, ranks, symmetric } from "../scores.js";
import { t } from "../speech.js";
import { buildText, createTextView } from "../text_view.js";
import { apart } from "../units.js";

/** @typedef {import("./view_model.js").ViewModel} ViewModel */

/** Of the words that have an effect, its value in a layer. @param {import("../source.js").Matters} matters
 * @param {number} row the layer's place */
const valuesIn = (matters, row) => matters.values[matters.by_layer ? row : 0];

/** Spearman's rank correlation; NaN where one of them is constant. @param {number[]} one @param {number[]} other */
export function rankCorrelation(one, other) {
  const [a, b] = [one, other].map((values) => {
    const first = ranks(values, false);
    /** @type {Map<number, number>} */
    const equal = new Map();
    for (const rank of first) equal.set(rank, (equal.get(rank) ?? 0) + 1);
    // Equal values share the mean of their ranks.
    return first.map((rank) => rank + ((equal.get(rank) ?? 1) - 1) / 2 - (first.length + 1) / 2);
  });
  const dot = (/** @type {number[]} */ x, /** @type {number[]} */ y) =>
    x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** @param {import("./views.js").Context} context */
export function createMatters({ dom, manifest, state, models }) {
  const { matters, layers } = manifest;
  dom.part("matters").hidden = dom.part("attends").hidden = !matters;
  if (!matters) return null;
  const root = dom.part("text-matters");
  const { text } = manifest.sides[manifest.sides.length - 1];
  const view = createTextView(root, apart(text, matters.words), false);
  const { units } = view.axis;
  let shownRow = -1;
  /** Of each axis, the units of each word that has an effect. @type {WeakMap<object, number[][]>} */
  const members = new WeakMap();

  function show() {
    buildText(view, Infinity);
    const row = matters?.by_layer ? layers.indexOf(state.layer) : 0;
    if (row === shownRow || !matters) return;
    shownRow = row;
    const values = valuesIn(matters, row);
    symmetric(values).forEach((scaled, i) => {
      const step = stepOf(scaled);
      view.steps[i] = step;
      view.spans[i].className = `u d${step}`;
      view.spans[i].title = number(values[i]);
    });
  }

  /** What the colours are, and how far attention agrees with them. @param {ViewModel} model
   * @param {Float32Array | null} attention of the units that are keys; null where it is not a word's own */
  function say(model, attention) {
    if (!matters) return;
    const values = valuesIn(matters, shownRow);
    const [low, high] = ends(values, true);
    const of = matters.by_layer
      ? t("Layer {layer}: {about}", { layer: state.layer, about: matters.about })
      : matters.about;
    const shares = attention && sharesOf(model, attention);
    const said = [
      t("{about}. Colours from {low} (blue) to {high} (red).", { about: of, low: number(low), high: number(high) }),
    ];
    if (shares && shares.length > 2) {
      const agreement = rankCorrelation(shares, values.map(Math.abs));
      if (Number.isFinite(agreement))
        said.push(
          t("Rank correlation of what is attended to with the size of these effects: {agreement}.", {
            agreement: agreement.toFixed(2),
          }),
        );
    }
    dom.part("matters-says").textContent = said.join(" ");
  }

  /** The attention to each word that has an effect. @param {ViewModel} model @param {Float32Array} attention */
  function sharesOf({ key }, attention) {
    let of = members.get(key);
    if (!of) {
      of = units.map(({ start, end }) =>
        key.units.flatMap((unit, i) => (unit.start < end && start < unit.end && !unit.special ? [i] : [])),
      );
      members.set(key, of);
    }
    return of.map((indices) => indices.reduce((sum, i) => sum + attention[i], 0));
  }

  return {
    root,
    show,
    say,
    /** The effect of a unit of the keys, as it is written into a table. @param {{start: number, end: number}} unit */
    of(unit) {
      const at = units.findIndex(({ start, end }) => unit.start < end && start < unit.end);
      return at < 0 || !matters ? "" : valuesIn(matters, Math.max(0, shownRow))[at];
    },
    /** The look of a word in a saved picture. @param {HTMLElement} element */
    look(element) {
      const at = view.places.get(element);
      if (at === undefined) return null;
      const fill = models.signedPaint().colours[view.steps[at]];
      return { fill, ink: textOn(fill), ring: "" };
    },
  };
}
