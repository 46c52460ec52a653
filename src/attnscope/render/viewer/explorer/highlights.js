// Colours behind a text by the CSS Highlight API, so that a hover changes ranges and no styles. By classes where the
// browser does not have it.

import { STEPS, textOn } from "../colour.js";
import { colourByClass } from "../text_view.js";

/**
 * @typedef {import("../text_view.js").TextView} TextView
 * @typedef {(units: number[]) => number} StepOfUnits  the step of the units that share a box; -1 for none
 * @typedef {{from: number, to: number, stepOf: StepOfUnits}} Cover  which boxes are coloured, and how
 * @typedef {ReturnType<typeof createHighlights>} Highlights
 */

/** Pixels above and below the window that are coloured as well, so that scrolling finds colours already there. */
const MARGIN = 500;

/** The first element in or near the window, and the first below it. @param {HTMLElement[]} spans in reading order
 * @returns {[number, number]} */
function inSight(spans) {
  /** The first element whose bottom is below `edge`; those that are not drawn are skipped. @param {number} edge */
  const below = (edge) => {
    let [low, high] = [0, spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      let seen = middle;
      let box = spans[seen].getBoundingClientRect();
      while (!box.height && ++seen < high) box = spans[seen].getBoundingClientRect();
      if (seen >= high || box.bottom > edge) high = middle;
      else low = seen + 1;
    }
    return low;
  };
  return [below(-MARGIN), below(innerHeight + MARGIN)];
}

/** The highlights of one viewer. Their names are shared by the whole document, so each viewer has its own.
 * @param {import("../dom.js").Dom} dom */
export function createHighlights({ id, root }) {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const name = (/** @type {number} */ step) => `${id}-s${step}`;
  /** One highlight per step; empty where the browser has none, then classes are used. @type {Highlight[]} */
  const sets = [];
  if (typeof CSS !== "undefined" && "highlights" in CSS) {
    for (let step = 0; step < STEPS; step++) {
      sets.push(new Highlight());
      CSS.highlights.set(name(step), sets[step]);
    }
  }
  // If a highlight's style is inherited, the root alone needs 64 styles, instead of each of thousands of words.
  sheet.replaceSync(`:root::highlight(${name(0)}){background-color:rgb(1,2,3)}`);
  const inherited = getComputedStyle(root, `::highlight(${name(0)})`).backgroundColor === "rgb(1, 2, 3)";
  let painted = "";
  /** @type {Map<TextView, Cover>} */
  const covers = new Map();

  /** @param {TextView} text @param {StepOfUnits} stepOf @param {number} from @param {number} to boxes */
  function cover(text, stepOf, from, to) {
    const { axis, ranges, steps } = text;
    const before = covers.get(text) ?? { from, to };
    covers.set(text, { from, to, stepOf });
    for (let b = Math.min(from, before.from); b < Math.max(to, before.to); b++) {
      const step = b >= from && b < to ? stepOf(axis.boxes[b].units) : -1;
      if (step === steps[b]) continue;
      if (steps[b] >= 0) sets[steps[b]].delete(ranges[b]);
      if (step >= 0) sets[step].add(ranges[b]);
      steps[b] = step;
    }
  }

  /** @param {TextView} text */
  function drop(text) {
    cover(text, () => -1, 0, 0);
    covers.delete(text);
  }

  /** Colours the boxes that have come into sight. */
  function followScroll() {
    for (const [text, { stepOf }] of covers) cover(text, stepOf, ...inSight(text.spans));
  }

  /** Colours all boxes, in sight or not. */
  function coverAll() {
    for (const [text, { stepOf }] of covers) cover(text, stepOf, 0, text.spans.length);
  }

  addEventListener("scroll", followScroll, { passive: true });
  addEventListener("beforeprint", coverAll);

  return {
    followScroll,
    coverAll,
    /** Sets the colours of the highlights' steps and of the classes s0 … s63 (shares) and d0 … d63 (signed), with black
     * or white text. @param {string[]} now @param {string[]} shares @param {string[]} signed */
    setColours(now, shares, signed) {
      const key = now.concat(shares).join();
      if (painted === key) return;
      painted = key;
      const look = (/** @type {string} */ colour) => `{background-color:${colour};color:${textOn(colour)}}`;
      const rules = now.map((colour, i) => `${inherited ? ":root" : ""}::highlight(${name(i)})${look(colour)}`);
      const here = `:where([data-viewer="${root.dataset.viewer}"])`;
      shares.forEach((colour, i) => i > 0 && rules.push(`${here} .s${i}${look(colour)}`));
      signed.forEach((colour, i) => rules.push(`${here} .d${i}${look(colour)}`));
      sheet.replaceSync(rules.join(""));
    },
    /** Colours what is in sight. The browser goes through all ranges at every change, so a hover costs only as much as
     * the part of the text in sight, however long the text is. @param {TextView} text @param {StepOfUnits} stepOf */
    highlight(text, stepOf) {
      // Forget texts that are no longer in the page, as when tokens have replaced words.
      for (const [other] of covers) if (other !== text && other.root === text.root) drop(other);
      if (sets.length) cover(text, stepOf, ...inSight(text.spans));
      else colourByClass(text, stepOf);
      for (const [unit, chip] of text.chips) {
        const step = stepOf([unit]);
        chip.className = `u special${step >= 0 ? ` s${step}` : ""}`;
      }
    },
  };
}
