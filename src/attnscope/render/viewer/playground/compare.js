// Two texts, two models or two methods next to each other; the words that differ most are marked and listed.

import { start as startImportance } from "../reading/attribution.js";
import { bdi, element, setText } from "../dom.js";
import { label } from "../format.js";
import { fill, nestedAddress, placed } from "./nested.js";
import { percent } from "./next_words.js";
import { t } from "../speech.js";
import { listenTyping } from "./typing.js";

export const VERSUS = ["text", "model", "method"];
const SIDES = ["left", "right"];
/** A share of all importance from which on a difference is marked. */
const MUCH = 0.03;

/** @typedef {{versus: string, otherText: string, otherModel: string, otherMethod: string}} State */

/** @param {import("../dom.js").Dom} dom @param {import("./asking.js").Asking} asking
 * @param {() => import("../source.js").Question} asked @param {State} state
 * @param {(patch: Partial<State>) => void} update @param {() => string} theme */
export function createCompare(dom, asking, asked, state, update, theme) {
  const addresses = SIDES.map(() => nestedAddress());
  const typing = listenTyping(/** @type {HTMLTextAreaElement} */ (dom.part("other-text")), (otherText) =>
    update({ otherText }),
  );
  /** The results that are shown. @type {string[]} */
  let results = [];
  let about = /** @type {string | null} */ (null);

  const other = () =>
    ({ text: state.otherText, model: state.otherModel, method: state.otherMethod })[state.versus] ?? "";

  function forget() {
    results = [];
    for (const side of SIDES) placed(dom.part(`${side}-holder`), null, "");
    dom.part("differences").hidden = true;
  }

  async function ask() {
    const question = { ...asked(), ask: "importance" };
    const holder = dom.part("compared");
    if (!other().trim()) {
      asking.stop("left");
      return forget();
    }
    holder.setAttribute("aria-busy", "true");
    const left = await asking.ask("left", question);
    if (left === null) return undefined;
    // Both sides are about the same target.
    about = /** @type {any} */ (question).target ?? left?.of ?? null;
    const changed =
      state.versus === "text" ? { text: other(), messages: [], passages: [] } : { [state.versus]: other() };
    const right = left && (await asking.ask("right", { ...question, target: about || null, ...changed }));
    if (right === null) return undefined;
    const documents = left && right ? [left.result, right.result] : [];
    const found = right && (await asking.ask("compare", { ...kept(), results: documents, ask: "compare" }));
    if (found === null) return undefined;
    holder.removeAttribute("aria-busy");
    if (!found) return forget();
    results = documents;
    const roots = [left, right].map((answer, i) => {
      const root = placed(dom.part(`${SIDES[i]}-holder`), dom.part("importance-template"), theme());
      fill(root, answer.shown);
      startImportance(root, { result: () => answer.result }, addresses[i]);
      return root;
    });
    list(found, roots);
    return undefined;
  }

  /** @param {{words: [number | null, number | null, number, number][], moved: number}} found @param {HTMLElement[]} roots */
  function list({ words, moved }, roots) {
    const spans = roots.map((root) => [...root.querySelectorAll("[data-part=text] .u")]);
    const rows = words
      .filter(([, , left, right]) => left !== right)
      .map(([from, to, left, right]) => {
        const places = [from, to];
        if (Math.abs(right - left) >= MUCH)
          places.forEach((place, side) => {
            if (place !== null) spans[side][place]?.classList.add(right > left ? "more" : "less");
          });
        const row = element("tr");
        places.forEach((place, side) => {
          const cell = element("td");
          cell.append(place === null ? "–" : bdi(label(spans[side][place]?.textContent ?? "")));
          row.append(cell);
        });
        for (const share of [left, right]) row.append(element("td", percent(share), "n"));
        row.append(element("td", `${right > left ? "+" : "−"}${percent(Math.abs(right - left))}`, "n"));
        return row;
      });
    dom.part("difference-rows").replaceChildren(...rows);
    setText(dom.part("moved"), t("{share} of the importance lies on other words.", { share: percent(moved) }));
    dom.part("differences").hidden = false;
  }

  /** What is asked besides the results. */
  const kept = () => ({ ...asked(), target: about || null, versus: state.versus, other: other() });

  return {
    ask,
    addresses,
    forget,
    /** What is seen, for a file. */
    kept: () => ({ ...kept(), results }),
    reflect() {
      typing.show(state.otherText);
      for (const versus of VERSUS) dom.part(`versus-${versus}`).hidden = state.versus !== versus;
    },
  };
}
