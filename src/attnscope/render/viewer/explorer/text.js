// The text view: what a word attends to, or what attends to it, as colours behind the words.

import { arrowKeyTarget } from "../arrow_keys.js";
import { textOn } from "../colour.js";
import { number } from "../format.js";
import { curvedLegend, fixedName, shareName, PER } from "./map_legend.js";
import { createMatters } from "./matters.js";
import { addRow } from "./sparse_map.js";
import { textBody } from "../svg.js";
import { buildText, createTextView, elementOf, markUnits, unitAt } from "../text_view.js";
import { digits } from "./top_panel.js";
import { inUnits, largestOf, norm, values } from "./view_model.js";
import { later, t } from "../speech.js";

/**
 * @typedef {import("./view_model.js").ViewModel} ViewModel
 * @typedef {import("../text_view.js").TextView} TextView
 * @typedef {{row: Float32Array, most: number, kind: "mean" | "rollout" | "difference" | "row"}} Coloured
 * row: values of the units; most: the value that has full colour; kind: the mean over the rows while nothing has the
 * focus, rollout, the difference of two units, or a unit's own row
 */

/** The mean over the rows shown. @param {ViewModel} model */
function meanRow(model) {
  const { state, map, rows } = model;
  let mean = Float32Array.from(map.received); // the worker has summed it already
  if (state.renorm || state.special) {
    mean = new Float32Array(map.nk);
    for (const q of rows) addRow(mean, map, q, norm(model, q) / rows.length);
  }
  for (let k = 0; k < map.nk; k++) if (map.hidden[k]) mean[k] = 0;
  return mean;
}

/** @param {import("./views.js").Context} context @returns {import("./views.js").View} */
export function createText(context) {
  const { dom, state, update, onChange, focus, models, cache, highlights, search, redraw } = context;
  const { oneText } = models;
  const matters = createMatters(context);
  const roots = { to: dom.part("text-query"), by: dom.part("text-key") };
  /** The texts of the queries and of the keys, the same object where there is one text.
   * @type {{to: TextView, by: TextView} | null} */
  let texts = null;
  let builtAs = "";
  /** The rollout of the unit in focus. @type {{unit: number, name: string, row: Float32Array} | null} */
  let rolled = null;
  /** @type {HTMLElement[]} */
  let outlined = [];
  let entered = true;
  /** @type {WeakMap<ViewModel, Float32Array>} */
  const means = new WeakMap();
  onChange((before) => (entered ||= before.view !== state.view));

  /** The texts for the state, built completely, or until the time `until`. @param {number} [until] */
  function built(until = Infinity) {
    const look = `${state.unit} ${state.space}`;
    if (look !== builtAs || !texts) {
      builtAs = look;
      const { query, key } = models.axes(state.unit);
      const to = createTextView(roots.to, query, state.space);
      texts = { to, by: oneText ? to : createTextView(roots.by, key, state.space) };
    }
    const whole = buildText(texts.to, until) && buildText(texts.by, until);
    return { ...texts, whole };
  }

  /** Shows a long text one part per frame, so that laying it out never delays a key press. */
  function unfold() {
    if (!entered) return;
    entered = false;
    const [, ...later] = /** @type {HTMLElement[]} */ ([...dom.part("texts").querySelectorAll(".part")]);
    for (const part of later) part.hidden = true;
    const reveal = () => {
      const part = later.shift();
      if (part) part.hidden = false;
      highlights.followScroll();
      if (later.length && roots.to.offsetParent) requestAnimationFrame(reveal);
    };
    requestAnimationFrame(reveal);
  }

  /** Whether rollout is shown: while nothing has the focus, it has nowhere to start from. */
  const isRollout = () => state.from === "rollout" && focus.unit >= 0;

  /** @param {ViewModel} model @returns {Coloured} */
  function coloured(model) {
    const unit = focus.unit;
    if (unit < 0) {
      const mean = means.get(model) ?? meanRow(model);
      means.set(model, mean);
      return { row: mean, most: state.scale === "fixed" ? 1 : largestOf(mean), kind: "mean" };
    }
    if (isRollout()) {
      const row = (isRolled(unit) && rolled?.row) || new Float32Array(model.map.nk);
      return { row, most: largestOf(row), kind: "rollout" };
    }
    const row = values(model, unit, state.dir);
    if (state.other >= 0) {
      const second = values(model, state.other, state.dir);
      const difference = row.map((first, i) => first - second[i]);
      return { row: difference, most: largestOf(difference.map(Math.abs)), kind: "difference" };
    }
    const most = state.scale === "fixed" ? 1 : state.scale === "map" ? model.highest : largestOf(row);
    return { row, most, kind: "row" };
  }

  /** @param {number} unit */
  const isRolled = (unit) => rolled?.unit === unit && rolled.name === state.unit;

  /** Requests the rollout of the unit in focus; the view is drawn again when it arrives. @param {ViewModel} model */
  function followRollout({ query, key }) {
    const unit = focus.unit;
    if (!isRollout() || isRolled(unit)) return;
    const name = state.unit;
    void cache.rollout(query.units[unit].members).then(
      (rows) => {
        rolled = { unit, name, row: inUnits(key, rows[rows.length - 1]) };
        if (focus.unit === unit) redraw(false);
      },
      (error) => dom.say(String(error.message)),
    );
  }

  /** The text that the focus is in, and the one that is coloured. @param {{to: TextView, by: TextView}} of */
  const sides = (of) => (state.dir === "to" ? { from: of.to, at: of.by } : { from: of.by, at: of.to });

  /** @param {ViewModel} model */
  function colourTexts(model) {
    if (!texts) return;
    const { row, most, kind } = coloured(model);
    const signed = models.signedPaint();
    const paint = kind === "difference" ? signed : model.paint;
    highlights.setColours(paint.colours, model.paint.colours, signed.colours);
    const { from, at } = sides(texts);
    const target = kind === "mean" ? texts.by : at;
    if (!oneText) highlights.highlight(target === texts.to ? texts.by : texts.to, () => -1);
    const isShown = (/** @type {number} */ unit) => state.special || !target.axis.units[unit].special;
    highlights.highlight(target, (units) => {
      let sum = 0;
      for (const unit of units) if (isShown(unit)) sum += row[unit];
      if (sum === 0 || !(most > 0)) return -1;
      const step = paint.stepOf(sum / most);
      return step === 0 && !paint.signed ? -1 : step;
    });
    for (const element of outlined) element.classList.remove("q", "q2", "at");
    outlined = [];
    outline(from, focus.unit, "q");
    outline(from, state.other, "q2");
    outline(at, focus.other, "at");
    matters?.say(model, kind === "mean" || (state.dir === "to" && kind !== "difference") ? row : null);
  }

  /** @param {TextView} text @param {number} unit @param {string} name */
  function outline(text, unit, name) {
    const element = unit >= 0 ? elementOf(text, unit) : undefined;
    if (!element) return;
    element.classList.add(name);
    outlined.push(element);
  }

  /** @param {ViewModel} model @returns {import("../legend.js").Legend} */
  function legend(model) {
    const { most, kind } = coloured(model);
    if (kind === "difference") {
      const ticks = [0, 0.5, 1].map((place) => ({ place, text: number((2 * place - 1) * most) }));
      return {
        colours: models.signedPaint().colours,
        ticks,
        unit: [t("difference of attention: second (blue) to first (red)")],
      };
    }
    const of = state.scale === "map" ? "map" : state.dir === "to" ? "row" : "column";
    const scaling = {
      mean: state.unit === "word" ? t("mean over all words") : t("mean over all tokens"),
      rollout: t("scaled per row"),
      row: state.scale === "fixed" ? fixedName(model.paint) : t(PER[of]),
    }[kind];
    return curvedLegend(
      state,
      model.paint.colours,
      most,
      kind === "rollout" ? t("share of rollout") : shareName(state, model.paint),
      scaling,
      model.paint.signed,
    );
  }

  /** @param {"to" | "by"} side */
  function listen(side) {
    const root = roots[side];
    const unitOf = (/** @type {Event} */ event) => (texts ? unitAt(texts[side], event.target) : -1);
    /** Turns the direction if the pointer is in the text of the other side. */
    const turn = () => !oneText && state.dir !== side && state.pin < 0 && update({ dir: side });
    const isShown = (/** @type {number} */ unit) =>
      unit >= 0 && (state.special || !texts?.[side].axis.units[unit].special);
    root.addEventListener("pointerover", (event) => {
      const unit = unitOf(event);
      if (!isShown(unit)) return;
      turn();
      focus.point(unit, -1);
    });
    root.addEventListener("pointerleave", () => focus.point(-1, -1));
    // Shift and a click compare a second word, and must not select the text between.
    root.addEventListener("mousedown", (event) => {
      if (!event.shiftKey) return;
      event.preventDefault();
      root.focus({ preventScroll: true });
    });
    root.addEventListener("click", (event) => {
      const unit = unitOf(event);
      if (!isShown(unit)) return;
      if (!oneText && state.dir !== side) update({ dir: side, pin: unit, other: -1 });
      else focus.pin(unit, event.shiftKey || event.ctrlKey || event.metaKey);
    });
    root.addEventListener("keydown", (event) => {
      if (!texts || event.altKey || event.ctrlKey || event.metaKey) return;
      const text = texts[side];
      const units = text.axis.units.map((_, i) => i).filter(isShown);
      const now = state.pin >= 0 && focus.other >= 0 ? focus.other : focus.unit;
      const target = arrowKeyTarget(
        units.map((unit) => elementOf(text, unit)),
        units.indexOf(now),
        event,
      );
      if (target !== null) {
        turn();
        focus.point(units[target], -1);
        elementOf(text, units[target])?.scrollIntoView({ block: "nearest" });
      } else if (event.key === "Enter" || event.key === " ") focus.pin(now < 0 ? units[0] : now, event.shiftKey);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
  listen("to");
  if (!oneText) listen("by");

  return {
    needsMap: true,
    sourceName: () => (isRollout() ? t("rollout, all layers") : models.mapSourceName(state)),
    show(model) {
      const { by } = built();
      roots.by.hidden = oneText;
      dom.part("texts").classList.toggle("two", !oneText || matters !== null);
      matters?.show();
      for (const root of [roots.to, roots.by]) root.classList.toggle("no-special", !state.special);
      unfold();
      markUnits(by, search.matches(model).keys.flat(), "match");
    },
    follow(model) {
      followRollout(model);
      colourTexts(model);
    },
    legend,
    values: (model) => (isRollout() ? coloured(model).row : null),
    verb: () => (isRollout() ? later("{unit} comes from, in the end") : ""),
    reveal: (unit) => texts && elementOf(sides(texts).from, unit)?.scrollIntoView({ block: "center" }),
    buildAhead: (until) => built(until).whole,
    svg(model) {
      highlights.coverAll();
      const [ink, accent] = [dom.colour("--ink"), dom.colour("--accent")];
      const { colours } = legend(model);
      const seen = texts ? [...new Set([texts.to, texts.by])] : [];
      return textBody(
        dom.part("texts"),
        [...seen.map(({ root }) => root), ...(matters ? [matters.root] : [])],
        ink,
        (element) => {
          const effect = matters?.look(element);
          if (effect) return effect;
          const ring = element.matches(".q, .q2") ? accent : "";
          const text = seen.find(({ places }) => places.has(element));
          const fill = colours[text?.steps[text.places.get(element) ?? -1] ?? -1];
          return fill ? { fill, ink: textOn(fill), ring } : { fill: "", ink, ring };
        },
      );
    },
    table(model) {
      const { row } = coloured(model);
      const ofKeys = state.dir === "to" || focus.unit < 0;
      const [units, shown] = ofKeys ? [model.key.units, model.columns] : [model.query.units, model.rows];
      const beside = matters && ofKeys ? matters : null;
      return [
        ["place", "text", "value", ...(beside ? ["effect"] : [])],
        ...[...shown].map((i) => [i, units[i].text, digits(row[i]), ...(beside ? [beside.of(units[i])] : [])]),
      ];
    },
  };
}
