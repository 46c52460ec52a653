// What the model writes, token by token, each with what it relied on; then the page of all of them.

import { start as startTokens } from "../reading/per_token.js";
import { stepOf } from "../colour.js";
import { setText } from "../dom.js";
import { ends } from "../scores.js";
import { t } from "../speech.js";
import { buildText, createTextView } from "../text_view.js";
import { apart } from "../units.js";
import { fill, fillTargets, nestedAddress, placed } from "./nested.js";

/** @typedef {import("./nested.js").Described & {written: string, method: string}} Generated */

/** @param {import("../dom.js").Dom} dom @param {import("./asking.js").Asking} asking
 * @param {() => import("../source.js").Question} asked @param {() => string} theme */
export function createGenerate(dom, asking, asked, theme) {
  const address = nestedAddress();
  const [go, stop, stream] = ["generate", "stop", "stream"].map((part) => dom.part(part));
  /** What was generated last. */
  const last = { written: "", method: "gradient", count: 20 };

  /** @param {string} prompt @param {{text: string, words: [number, number, number][], signed: boolean}} token */
  function showToken(prompt, { text, words, signed }) {
    const whole = prompt + text;
    const view = createTextView(
      stream,
      apart(
        whole,
        words.map(([start, end]) => [start, end]),
      ),
      false,
    );
    buildText(view, Infinity);
    const scores = words.map((word) => word[2]);
    const [low, high] = ends(scores, signed);
    scores.forEach((score, i) => {
      const scaled = low === high ? 0.5 : (score - low) / (high - low);
      view.spans[i]?.classList.add(`s${stepOf(scaled)}`);
    });
    stream.append(text.slice(Math.max(0, (words.at(-1)?.[1] ?? 0) - prompt.length)));
    stream.toggleAttribute("data-signed", signed);
    dom.part("stream-says").hidden = false;
  }

  /** @param {Generated} answer */
  function show(answer) {
    [last.written, last.method] = [answer.written, answer.method];
    stream.hidden = true;
    dom.part("stream-says").hidden = true;
    const root = placed(dom.part("tokens-holder"), dom.part("tokens-template"), theme());
    fill(root, answer.shown);
    /** @type {{targets: {text: string}[]}} */
    const result = JSON.parse(answer.result);
    fillTargets(
      root,
      result.targets.map((target) => target.text),
    );
    startTokens(root, { result: () => answer.result }, address);
  }

  /** @param {boolean} on */
  function running(on) {
    go.hidden = on;
    stop.hidden = !on;
  }

  async function run() {
    const question = asked();
    address.write("");
    running(true);
    stream.hidden = false;
    dom.part("tokens-holder").replaceChildren();
    stream.textContent = String(question.text ?? "");
    let [tokens, prompt] = [0, ""];
    const answer = await asking.ask(
      "generate",
      {
        ...question,
        ask: "generate",
        target: null,
        count: Number(/** @type {HTMLInputElement} */ (dom.part("count")).value),
      },
      (event, data) => {
        if (event === "prompt") prompt = data;
        if (event !== "token") return;
        if (!tokens++) performance.mark("first-token");
        showToken(prompt, data);
        last.written = data.text;
      },
    );
    running(false);
    if (answer) show(answer);
    else setText(dom.part("stream-says"), tokens ? t("Stopped. The colours are what the last token relied on.") : "");
  }
  go.addEventListener("click", () => void run());
  stop.addEventListener("click", () => {
    asking.stop("generate");
    running(false);
  });
  return {
    address,
    last,
    /** Another text: what was written for the one before is gone. */
    clear() {
      asking.stop("generate");
      running(false);
      last.written = "";
      stream.replaceChildren();
      stream.hidden = true;
      dom.part("stream-says").hidden = true;
      dom.part("tokens-holder").replaceChildren();
    },
  };
}
