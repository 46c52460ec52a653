// The scale of colours with its numbers, always in sight; and the sentence that says what is seen.

import { ticks } from "../colour.js";
import { number, percent } from "../format.js";
import { focus, state } from "./hub.js";
import { front } from "./front.js";
import { byId } from "../page.js";
import { showTicks } from "../scale.js";
import { ceiling, colours, meanLeftOut, sourceName, values } from "./scene.js";

/** @typedef {import("./scene.js").Scene} Scene */

/** What full colour stands for now. @param {Scene | null} scene @param {number | null} given */
export function top(scene, given = null) {
  if (given !== null) return given;
  if (!scene || state.view === "overview") return null;
  if (state.view === "flow") return state.scale === "fixed" ? 1 : null;
  if (state.scale === "fixed") return 1;
  if (state.scale === "map") return scene.highest;
  if (focus.unit < 0) return null;
  if (state.dir === "to") return ceiling(scene, focus.unit);
  return values(scene, focus.unit, "by").reduce((a, b) => Math.max(a, b), 0);
}

/** Numbers under the colours: of the pointed row, or as shares of each row's largest where there is none.
 * @param {Scene | null} scene @param {number | null} given */
export function marks(scene, given = null) {
  const highest = top(scene, given);
  const found = ticks(state.curve, state.gamma).map(([place, share]) => ({
    place,
    text: highest === null ? percent(share) : number(Number((share * highest).toPrecision(place === 1 ? 3 : 2))),
  }));
  // The last one is written to the left of its place: long numbers leave no room for the one before.
  const [before, last] = found.slice(-2);
  if (before.text.length + last.text.length > 12) found.splice(-2, 1);
  return found;
}

/** What the numbers measure. @param {Scene | null} scene @param {number | null} [given] */
export function measure(scene, given = null) {
  const per = state.view === "overview" ? "head" : state.dir === "to" || state.view === "head" ? "row" : "column";
  const what = state.view === "flow" ? "share of rollout" : state.renorm && scene ? "share of the attention shown" : "share of attention";
  const scale = state.view === "overview" ? "map" : state.view === "flow" && state.scale === "map" ? "row" : state.scale;
  const of = given !== null && focus.unit < 0 ? `mean over all ${state.unit}s` : scale === "fixed" ? "0 to 1" : top(scene) === null ? `of each ${per}’s largest` : `scaled per ${scale}`;
  const curve = state.curve === "linear" ? "" : `, ${state.curve === "sqrt" ? "square-root" : "logarithmic"} colours`;
  return `${what}, ${of}${curve}${state.gamma === 1 ? "" : `, gamma ${number(state.gamma)}`}`;
}

/** The colours that the legend has. @type {string[]} */
let drawn = [];

/** @param {Scene | null} scene @param {number | null} [given] the largest value where it is not the map's own
 * @param {[string[], number] | null} [signed] colours and largest difference, where two are compared */
export function showLegend(scene, given = null, signed = null) {
  const steps = signed ? signed[0] : colours(state);
  if (drawn !== steps) {
    drawn = steps;
    byId("ramp").style.background = `linear-gradient(to right, ${steps.join()})`;
  }
  const found = signed
    ? [0, 0.5, 1].map((place) => ({ place, text: number((2 * place - 1) * signed[1]) }))
    : marks(scene, given);
  showTicks(found);
  const words = signed ? "difference of attention: second (blue) to first (red)" : measure(scene, given);
  if (byId("measure").textContent !== words) byId("measure").textContent = words;
}

/** Model, length, what is seen, scale, version: under the page and in every export. @param {Scene | null} scene */
export function caption(scene) {
  const { provenance, version, queries, keys, layers, heads } = front;
  const length = queries.length === keys.length ? `${keys.length} tokens` : `${queries.length} × ${keys.length} tokens`;
  const seen =
    state.view === "overview" ? `${layers.length} layers × ${heads.length} heads` : sourceName(state);
  const special = !state.special && scene?.key.units.some((unit) => unit.special);
  const hidden = [special ? "without special tokens" : "", scene?.grid.sinks.length ? "without sinks" : ""].filter(Boolean);
  const out = scene && state.view !== "overview" ? meanLeftOut(scene) : 0;
  return [
    provenance.model ?? "",
    length,
    seen,
    state.view === "overview" ? "" : `by ${state.unit}`,
    measure(scene),
    out > 0.0005 ? `${hidden.join(", ")} (${percent(out)} of the attention)` : "",
    `attnscope ${version}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** What the file had to leave out. */
export function notes() {
  const { coding, kept, missing, megabytes, atlas } = front;
  if (!atlas) return "Only statistics were kept, no maps.";
  const found = [];
  if (kept) {
    const error = 0.5 / coding.top;
    found.push(
      coding.power === 1
        ? `A weight is off by at most ${number(error)} of its row’s largest; ${percent(kept.mean)} of the attention ` +
            `is kept, in the worst map ${percent(kept.worst)}.`
        : `Weights are kept by square roots; ${percent(kept.mean)} of the attention is kept.`,
    );
  }
  if (coding.top < 255) found.push(`Coarser than usual, so that the file stays below ${number(megabytes[1])} MB.`);
  if (missing.length) {
    found.push(`The maps of layers ${missing.join(", ")} were left out to keep to ${number(megabytes[1])} MB.`);
  }
  return found.join(" ");
}
