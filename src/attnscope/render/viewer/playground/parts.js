// What is asked about, where it is more than a text: the turns of a chat, or a question and its passages.

import { element } from "../dom.js";
import { t } from "../speech.js";
import { listenTyping } from "./typing.js";

/** @typedef {{role: string, text: string}} Part */
/** @typedef {{kind: string, text: string, parts: string}} Typed parts: a list of Part, as JSON */

export const KINDS = ["text", "chat", "passages"];
const ROLES = ["system", "user", "assistant"];

/** The turns or passages; none where a link holds something else. @param {string} json @returns {Part[]} */
export function partsOf(json) {
  try {
    const read = JSON.parse(json);
    return read.map((/** @type {any} */ { role, text }) => ({
      role: ROLES.includes(role) ? role : "user",
      text: String(text ?? ""),
    }));
  } catch {
    return [];
  }
}

/** What a question is about. @param {Typed} typed @returns {Record<string, unknown>} */
export function givenBy({ kind, text, parts }) {
  const filled = kind === "text" ? [] : partsOf(parts).filter((part) => part.text.trim());
  if (kind === "chat") return { text: "", messages: filled.map(({ role, text }) => ({ role, content: text })) };
  return kind === "passages" ? { text, passages: filled.map((part) => part.text) } : { text };
}

/** Whether there is nothing to ask about. @param {Typed} typed */
export function isEmpty(typed) {
  const { text, messages, passages } = /** @type {any} */ (givenBy(typed));
  return messages ? !messages.length : !text.trim() || passages?.length === 0;
}

/** What stands for it in a list. @param {Typed} typed */
export const nameOf = (typed) => (typed.kind === "chat" ? (partsOf(typed.parts).at(-1)?.text ?? "") : typed.text);

/** @param {import("../dom.js").Dom} dom @param {(patch: Partial<Typed>) => void} change */
export function createParts(dom, change) {
  const [holder, add] = [dom.part("parts"), dom.part("add-part")];
  /** @type {{kind: string, text: string, rows: {part: Part, show: (text: string) => void, roles: HTMLSelectElement}[]}} */
  const now = { kind: "text", text: "", rows: [] };

  const tell = () => change({ parts: JSON.stringify(now.rows.map(({ part }) => part)) });

  /** @param {Part} part */
  function row(part) {
    const line = element("li");
    const roles = /** @type {HTMLSelectElement} */ (element("select"));
    roles.setAttribute("aria-label", t("Role"));
    for (const role of ROLES) roles.append(element("option", role));
    roles.value = part.role;
    roles.hidden = now.kind !== "chat";
    const field = /** @type {HTMLTextAreaElement} */ (element("textarea"));
    [field.value, field.rows, field.dir, field.spellcheck] = [part.text, 2, "auto", false];
    field.setAttribute("aria-label", now.kind === "chat" ? t("Turn") : t("Passage"));
    const remove = element("button", t("Remove"));
    line.append(roles, field, remove);
    const typing = listenTyping(field, (text) => {
      part.text = text;
      tell();
    });
    const made = { part, show: typing.show, roles };
    roles.addEventListener("change", () => {
      part.role = roles.value;
      tell();
    });
    remove.addEventListener("click", () => {
      now.rows.splice(now.rows.indexOf(made), 1);
      line.remove();
      tell();
      add.focus();
    });
    holder.append(line);
    return made;
  }

  add.addEventListener("click", () => {
    const last = now.rows.at(-1)?.part.role;
    now.rows.push(row({ role: last === "user" ? "assistant" : "user", text: "" }));
    holder.querySelector("li:last-child textarea")?.dispatchEvent(new Event("focus"));
    /** @type {HTMLElement | null} */ (holder.querySelector("li:last-child textarea"))?.focus();
    tell();
  });
  const kinds = /** @type {HTMLSelectElement} */ (dom.part("kind"));
  kinds.addEventListener("change", () => {
    const kind = kinds.value;
    // What was typed goes along.
    const own = kind === "chat" ? [{ role: "user", text: now.text }] : [{ role: "user", text: "" }];
    change({ kind, parts: kind === "text" ? "" : JSON.stringify(own) });
  });

  return {
    /** @param {Typed} typed */
    show({ kind, text, parts }) {
      const wanted = kind === "text" ? [] : partsOf(parts);
      now.text = text;
      kinds.value = kind;
      for (const part of ["parts", "add-part"]) dom.part(part).hidden = kind === "text";
      add.textContent = kind === "chat" ? t("Add a turn") : t("Add a passage");
      dom.part("input").hidden = kind === "chat";
      const input = /** @type {HTMLTextAreaElement} */ (dom.part("input"));
      input.placeholder = kind === "passages" ? t("Type a question") : t("Type or paste a text");
      input.setAttribute("aria-label", kind === "passages" ? t("Question") : t("Text"));
      if (kind !== now.kind || wanted.length !== now.rows.length) {
        now.kind = kind;
        holder.replaceChildren();
        now.rows = [];
        for (const part of wanted) now.rows.push(row(part));
        return;
      }
      wanted.forEach((part, i) => {
        now.rows[i].part.role = now.rows[i].roles.value = part.role;
        now.rows[i].part.text = part.text;
        now.rows[i].show(part.text);
      });
    },
  };
}
