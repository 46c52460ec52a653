// What may come next: the likeliest tokens as buttons, each of which can be the target; or a target that is typed.

import { bdi, element } from "../dom.js";
import { label } from "../format.js";
import { t } from "../speech.js";
import { listenTyping } from "./typing.js";

/** @typedef {{text: string, probability: number, whole: boolean}} NextToken */

/** A probability in per cent. @param {number} share */
export const percent = (share) =>
  share >= 0.01 ? `${(100 * share).toFixed(1)} %` : `${Number((100 * share).toPrecision(2))} %`;

/** The likeliest tokens with bars. @param {NextToken[]} tokens @param {number} [most] @returns {HTMLElement[]} */
export function tokenLines(tokens, most = 10) {
  return tokens.slice(0, most).map(({ text, probability, whole }) => {
    const line = element("li");
    const name = bdi(whole ? label(text) : text.includes("\ufffd") ? t("part of a character") : t("end of the text"));
    const meter = /** @type {HTMLMeterElement} */ (element("meter"));
    [meter.max, meter.value] = [1, probability];
    meter.setAttribute("aria-hidden", "true");
    line.append(name, meter, element("span", percent(probability), "n"));
    return line;
  });
}

/** @param {import("../dom.js").Dom} dom @param {(target: string) => void} choose "" is the model's own next word */
export function createNextWords(dom, choose) {
  const [holder, own] = [dom.part("next"), dom.part("own")];
  const field = /** @type {HTMLInputElement} */ (dom.part("target"));
  const typed = listenTyping(field, choose);
  own.addEventListener("click", () => choose(""));
  let target = "";

  function reflect() {
    own.setAttribute("aria-pressed", String(!target));
    for (const button of holder.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(button.dataset.text === target));
  }

  return {
    /** @param {NextToken[]} tokens */
    show(tokens) {
      dom.part("nexts").hidden = !tokens.length;
      const lines = tokenLines(tokens);
      lines.forEach((line, i) => {
        const { text, whole } = tokens[i];
        if (!whole) return;
        const button = element("button");
        button.dataset.text = text;
        button.append(...line.childNodes);
        button.addEventListener("click", () => choose(text));
        line.append(button);
      });
      holder.replaceChildren(...lines);
      reflect();
    },
    /** @param {string} chosen */
    reflect(chosen) {
      target = chosen;
      typed.show(chosen);
      reflect();
    },
  };
}
