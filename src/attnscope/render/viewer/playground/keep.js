// What is seen as a file, as Python and as a command; and what was seen before.

import { download, element, setText } from "../dom.js";
import { short } from "../format.js";
import { t } from "../speech.js";

const TYPES = ["html", "png", "svg", "pdf", "json", "csv"];
/** How many texts are gone back to. */
const MOST = 30;
/** Milliseconds for which a text has to stand to be one that was seen, where the next is a part of it. */
const MOMENT = 3000;

/** @param {import("../dom.js").Dom} dom @param {import("./asking.js").Asking} asking
 * @param {() => import("../source.js").Question} asked what is seen now, `of` a kind */
export function createKeep(dom, asking, asked) {
  for (const type of TYPES) {
    const button = element("button", type.toUpperCase());
    button.addEventListener("click", async () => {
      const answer = await asking.ask("file", { ...asked(), ask: "file", suffix: `.${type}` });
      if (!answer) return;
      const bytes = Uint8Array.from(atob(answer.base64), (letter) => letter.charCodeAt(0));
      download(answer.name, new Blob([bytes]));
      dom.say(t("{file} saved", { file: answer.name }));
    });
    dom.part("files").append(button, " ");
  }
  const details = /** @type {HTMLDetailsElement} */ (dom.part("code"));
  async function showCode() {
    if (!details.open) return;
    const answer = await asking.ask("code", { ...asked(), ask: "code" });
    if (!answer) return;
    setText(dom.part("python"), answer.python);
    setText(dom.part("command"), answer.command);
  }
  details.addEventListener("toggle", () => void showCode());
  for (const part of ["python", "command"]) {
    dom.part(`copy-${part}`).addEventListener("click", async () => {
      await navigator.clipboard.writeText(dom.part(part).textContent ?? "");
      dom.say(t("copied"));
    });
  }
  return { showCode };
}

/** The texts of this session, the last one first. @template S @param {import("../dom.js").Dom} dom
 * @param {(state: S) => void} back @returns {{add: (text: string, state: S) => void}} */
export function createHistory(dom, back) {
  /** @type {{text: string, state: S}[]} */
  const seen = [];
  const list = dom.part("history");
  let at = 0;
  return {
    add(text, state) {
      // A text that grows by typing, or shrinks by deleting, takes the place of what it was a moment before.
      const [last, now] = [seen[0], performance.now()];
      const grew = last && text.startsWith(last.text);
      if (last && (grew || (last.text.startsWith(text) && now - at < MOMENT))) seen.shift();
      at = now;
      const same = seen.findIndex((each) => each.text === text);
      if (same >= 0) seen.splice(same, 1);
      seen.unshift({ text, state });
      seen.length = Math.min(seen.length, MOST);
      list.replaceChildren(
        ...seen.map((each) => {
          const line = element("li");
          const button = element("button", "", "plain");
          button.append(element("bdi", short(each.text, 60)));
          button.addEventListener("click", () => back(each.state));
          line.append(button);
          return line;
        }),
      );
      dom.part("seen").hidden = !seen.length;
    },
  };
}
