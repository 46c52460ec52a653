// A dot for each head: a statistic of its attention across, its effect on a target up.

import { number } from "../format.js";
import { t } from "../speech.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDE, HIGH, EDGE] = [420, 260, 60];

/** @param {string} name @param {Record<string, string | number>} attributes @param {string} [text] */
function shape(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/** The ends of an axis that holds these values, never the same. @param {number[]} values @returns {[number, number]} */
function ends(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = 0.05 * (high - low) || 1;
  return [low - room, high + room];
}

/** Draws it into a holder. @param {Element} holder @param {import("../source.js").Manifest} manifest
 * @param {{name: string, title: string}} across the statistic
 * @param {(layer: number, head: number) => void} open what a click on a dot does */
export function drawScatter(holder, { layers, heads, statistics }, across, open) {
  const [xs, ys] = [statistics[across.name].flat(), statistics.effect.flat()];
  const [[left, right], [bottom, top]] = [ends(xs), ends([...ys, 0])];
  /** @param {number} value */
  const x = (value) => EDGE + ((WIDE - EDGE - 12) * (value - left)) / (right - left);
  /** @param {number} value */
  const y = (value) => 12 + ((HIGH - EDGE - 12) * (top - value)) / (top - bottom);
  const label = t("{statistic} of each head against its effect", { statistic: across.title });
  const picture = shape("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "group", "aria-label": label });
  picture.append(
    shape("line", { x1: EDGE, x2: WIDE - 12, y1: y(0), y2: y(0) }),
    shape("text", { x: EDGE - 6, y: 20, "text-anchor": "end" }, number(top)),
    shape("text", { x: EDGE - 6, y: HIGH - EDGE, "text-anchor": "end" }, number(bottom)),
    shape("text", { x: EDGE, y: HIGH - 26 }, number(left)),
    shape("text", { x: WIDE - 12, y: HIGH - 26, "text-anchor": "end" }, number(right)),
    shape(
      "text",
      { x: (WIDE + EDGE) / 2, y: HIGH - 6, "text-anchor": "middle" },
      t("{statistic} → effect ↑", { statistic: across.title }),
    ),
  );
  layers.forEach((layer, i) =>
    heads.forEach((head, j) => {
      const [one, effect] = [statistics[across.name][i][j], statistics.effect[i][j]];
      const dot = shape("circle", { cx: x(one), cy: y(effect), r: 4 });
      const said = t("layer {layer}, head {head}: {statistic} {value}, effect {effect}", {
        layer,
        head,
        statistic: across.title,
        value: number(one),
        effect: number(effect),
      });
      dot.append(shape("title", {}, said));
      dot.addEventListener("click", () => open(layer, head));
      picture.append(dot);
    }),
  );
  holder.replaceChildren(picture);
}
