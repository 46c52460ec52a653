// The legends and the caption of the explorer, the same on the page and in every saved file.

import { ticks } from "../colour.js";
import { number, percent } from "../format.js";
import { ceiling, meanLeftOut } from "./view_model.js";
import { later, t } from "../speech.js";

/**
 * @typedef {import("./view_model.js").ViewModel} ViewModel
 * @typedef {import("./view_state.js").State} State
 * @typedef {import("../legend.js").Legend} Legend
 */

/** @param {State} state @param {string[]} colours @param {number | null} highest what full colour stands for; null where
 * that differs from row to row, and the numbers are shares of it @param {string} what is measured @param {string} scaling
 * @param {boolean} [signed] @returns {Legend} */
export const curvedLegend = (state, colours, highest, what, scaling, signed = false) => ({
  colours,
  ticks: signed ? signedTicks(state, highest) : curvedTicks(state, highest),
  unit: [t("{what}, {scaling}{curve}", { what, scaling, curve: curveName(state) })],
});

/** From the largest below 0 to the largest above it. @param {State} state @param {number | null} highest */
function signedTicks(state, highest) {
  const half = ticks(state.curve, state.gamma).filter(([place]) => place === 0 || place === 0.5 || place === 1);
  const both = [
    ...half
      .slice(1)
      .reverse()
      .map(([place, share]) => [-place, -share]),
    ...half,
  ];
  return both.map(([place, share]) => ({
    place: (1 + place) / 2,
    text: highest === null ? percent(share) : number(Number((share * highest).toPrecision(2))),
  }));
}

/** @param {State} state @param {number | null} highest */
function curvedTicks(state, highest) {
  const marks = ticks(state.curve, state.gamma).map(([place, share]) => ({
    place,
    text: highest === null ? percent(share) : number(Number((share * highest).toPrecision(place === 1 ? 3 : 2))),
  }));
  // The last number is written to the left of its place: long numbers leave no room for the one before.
  const [before, last] = marks.slice(-2);
  if (before.text.length + last.text.length > 12) marks.splice(-2, 1);
  return marks;
}

/** @param {State} state */
function curveName({ curve, gamma }) {
  const name = curve === "linear" ? "" : curve === "sqrt" ? t(", square-root colours") : t(", logarithmic colours");
  return `${name}${gamma === 1 ? "" : t(", gamma {gamma}", { gamma: number(gamma) })}`;
}

/** How colours are scaled, by the state's name for it. @type {Record<string, string>} */
export const PER = {
  row: later("scaled per row"),
  column: later("scaled per column"),
  map: later("scaled per map"),
};

/** What the weights of a map are. @param {State} state @param {import("./view_model.js").Paint} paint */
export function shareName({ renorm }, { signed }) {
  if (signed) return renorm ? t("share of the weights shown, without signs") : t("weight of linear attention");
  return renorm ? t("share of the attention shown") : t("share of attention");
}

/** The scale that is the same for all. @param {import("./view_model.js").Paint} paint */
export const fixedName = ({ signed }) => (signed ? t("−1 to 1") : t("0 to 1"));

/** The legend of views in which each query has its own scale. @param {ViewModel} model
 * @param {number} query the one in focus, -1 for none @returns {Legend} */
export function rowsLegend(model, query) {
  const { state, paint, highest } = model;
  const top = state.scale === "row" && query < 0 ? null : state.scale === "map" ? highest : ceiling(model, query);
  const scaling =
    state.scale === "fixed" ? fixedName(paint) : top === null ? t("of each row’s largest") : t(PER[state.scale]);
  return curvedLegend(state, paint.colours, top, shareName(state, paint), scaling, paint.signed);
}

/** Model, length, what is shown, its unit, version. @param {import("../source.js").Manifest} manifest
 * @param {State} state
 * @param {import("./views.js").View} view @param {ViewModel | null} model null for the overview @param {Legend} legend
 * @returns {import("../legend.js").Caption} */
export function captionOf(manifest, state, view, model, legend) {
  const { provenance, version, queries, keys, title, coding } = manifest;
  const length = t("{count} tokens", {
    count: queries.length === keys.length ? keys.length : `${queries.length} × ${keys.length}`,
  });
  const special = !state.special && model?.key.units.some((unit) => unit.special);
  const hidden = [special ? t("without special tokens") : "", model?.map.sinks.length ? t("without sinks") : ""].filter(
    Boolean,
  );
  const out = model ? meanLeftOut(model) : 0;
  const facts = [
    provenance.model ?? "",
    length,
    view.sourceName(),
    view.needsMap ? (state.unit === "word" ? t("by word") : t("by token")) : "",
    legend.unit.join(""),
    out > 0.0005
      ? t(
          coding.signed
            ? later("{hidden} ({share} of all weights, without signs)")
            : later("{hidden} ({share} of the attention)"),
          { hidden: hidden.join(", "), share: percent(out) },
        )
      : "",
    `attnscope ${version}`,
  ];
  return { title, facts: facts.filter(Boolean), notes: fileNotes(manifest) };
}

/** What is not there: what the maps themselves say of it, and what the file had to leave out. @param {import("../source.js").Manifest} manifest @returns {string[]} */
export function fileNotes({ coding, kept, missing, megabytes, thumbnails, notes: ofMaps = [] }) {
  const notes = [...ofMaps];
  if (!thumbnails) return [...notes, t("Only statistics were kept, no maps.")];
  if (kept) {
    notes.push(
      coding.power === 1
        ? t(
            "A weight is off by at most {error} of its row’s largest; {kept} of the attention is kept, in the worst map {worst}.",
            { error: number(0.5 / coding.top), kept: percent(kept.mean), worst: percent(kept.worst) },
          )
        : t("Weights are kept by square roots; {kept} of the attention is kept.", { kept: percent(kept.mean) }),
    );
  }
  if (coding.top < 255)
    notes.push(
      t("Coarser than usual, so that the file stays below {megabytes} MB.", { megabytes: number(megabytes[1]) }),
    );
  if (missing.length) {
    notes.push(
      t("The maps of layers {layers} were left out to keep to {megabytes} MB.", {
        layers: missing.join(", "),
        megabytes: number(megabytes[1]),
      }),
    );
  }
  return notes;
}
