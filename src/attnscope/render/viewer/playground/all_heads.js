// What one word attends to in every head, as a strip for each: a click on one shows its map.

import { inflated } from "../inflate.js";
import { stepOf } from "../colour.js";
import { element, setText } from "../dom.js";
import { label } from "../format.js";
import { t } from "../speech.js";

/** @param {import("../dom.js").Dom} dom @param {import("./asking.js").Asking} asking
 * @param {() => import("../source.js").Question} asked @param {(layer: number, head: number) => void} open */
export function createAllHeads(dom, asking, asked, open) {
  const [section, holder] = [dom.part("all-heads"), dom.part("strips")];
  /** @type {{bytes: Uint8Array, rows: number, columns: number, manifest: import("../source.js").Manifest} | null} */
  let now = null;

  /** The strongest of the word's tokens, for each key, in the colours of the page. */
  function paint() {
    if (!now) return;
    const { bytes, rows, columns, manifest } = now;
    const [light, dark] = Object.values(manifest.palettes)[0];
    const colours = dom.isDark() ? dark : light;
    [...holder.children].forEach((strip, i) => {
      const canvas = /** @type {HTMLCanvasElement} */ (strip.firstChild);
      [canvas.width, canvas.height] = [columns, 1];
      const pen = canvas.getContext("2d");
      for (let key = 0; pen && key < columns; key++) {
        let most = 0;
        for (let row = 0; row < rows; row++) {
          const code = bytes[(i * rows + row) * columns + key];
          most = Math.max(most, manifest.coding.signed ? Math.abs(code - 128) / 127 : code / 255);
        }
        // A thumbnail holds fourth roots; square roots are shown.
        pen.fillStyle = colours[stepOf(most ** 2)];
        pen.fillRect(key, 0, 1, 1);
      }
    });
  }

  holder.addEventListener("keydown", (event) => {
    const strips = /** @type {HTMLElement[]} */ ([...holder.children]);
    const at = strips.indexOf(/** @type {HTMLElement} */ (event.target));
    const wide = now?.manifest.heads.length ?? 1;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide }[event.key];
    if (at < 0 || !step || !strips[at + step]) return;
    [strips[at].tabIndex, strips[at + step].tabIndex] = [-1, 0];
    strips[at + step].focus();
    event.preventDefault();
  });

  return {
    paint,
    /** Of the word at this character. @param {import("../source.js").Manifest} manifest @param {number} place */
    async show(manifest, place) {
      const answer = await asking.ask("rows", { ...asked(), ask: "rows", place });
      if (answer === null) return;
      if (!answer) return this.clear();
      const bytes = await inflated(answer.stream);
      now = { bytes, rows: answer.rows, columns: answer.columns, manifest };
      const [start, end] = answer.word;
      const word = Array.from(manifest.sides[0].text).slice(start, end).join("");
      setText(dom.part("strips-title"), t("“{word}” in every head", { word: label(word) }));
      holder.style.setProperty("--wide", String(manifest.heads.length));
      holder.replaceChildren(
        ...manifest.layers.flatMap((layer) =>
          manifest.heads.map((head) => {
            const strip = element("button", "", "strip");
            strip.append(element("canvas"));
            strip.title = t("layer {layer}, head {head}", { layer, head });
            strip.setAttribute("aria-label", strip.title);
            strip.tabIndex = -1;
            strip.addEventListener("click", () => open(layer, head));
            return strip;
          }),
        ),
      );
      if (holder.firstElementChild) /** @type {HTMLElement} */ (holder.firstElementChild).tabIndex = 0;
      section.hidden = false;
      paint();
    },
    clear() {
      asking.stop("rows");
      now = null;
      section.hidden = true;
      holder.replaceChildren();
    },
  };
}
