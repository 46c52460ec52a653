// The server as a source: a question goes there, and the answer comes as server-sent events.

import { later, t } from "../speech.js";
import { AskError } from "../source.js";

const GONE = later("The server does not answer. This page goes on as soon as it is back.");
const ANEW = later(
  "The server was started anew, and does not know this page. Open the address that it printed last in this browser: then this page goes on too.",
);
const OTHER = later("Another program answers at this address now. Open the address that attnscope serve printed last.");

/** @implements {AskingSource} @typedef {import("../source.js").AskingSource} AskingSource */
export class ServerSource {
  /** @param {Document} page */
  constructor(page) {
    this.setup = JSON.parse(page.getElementById("setup")?.textContent ?? "{}");
  }

  /** @type {AskingSource["ask"]} */
  async ask(question, heard = () => {}, signal) {
    const response = await fetched("ask", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(question),
      signal,
    });
    if (isStranger(response)) throw new AskError(strange(response), true);
    if (!response.ok || !response.body) throw new AskError(await reason(response));
    /** @type {{answer?: any}} */
    const found = {};
    try {
      for await (const [event, data] of events(response.body)) {
        if (event === "error") throw new AskError(data);
        if (event === "result") found.answer = data;
        else heard(event, data);
      }
    } catch (error) {
      throw error instanceof TypeError ? new AskError(t(GONE), true) : error;
    }
    if (!("answer" in found)) throw new DOMException("a newer question took its place", "AbortError");
    return found.answer;
  }

  async here() {
    try {
      const response = await fetch("here");
      return isStranger(response) ? strange(response) : "";
    } catch {
      return t(GONE);
    }
  }
}

/** Whether this is neither an answer nor a refusal of the server that the page came from. @param {Response} response */
const isStranger = ({ status, headers }) =>
  ![204, 400, 408, 413, 503].includes(status) && headers.get("content-type") !== "text/event-stream";

/** @param {Response} response */
const strange = ({ status }) => t(status === 403 ? ANEW : OTHER);

/** @param {string} place @param {RequestInit} init */
async function fetched(place, init) {
  try {
    return await fetch(place, init);
  } catch (error) {
    if (error instanceof TypeError) throw new AskError(t(GONE), true);
    throw error;
  }
}

/** One line that says why. @param {Response} response */
async function reason(response) {
  const text = await response.text();
  try {
    return String(JSON.parse(text).error);
  } catch {
    return text.trim() || t("the server refused ({status})", { status: response.status });
  }
}

/** The events of a stream, each with its data. @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<[string, any]>} */
async function* events(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const lines = part.split("\n");
      const [name, data] = ["event: ", "data: "].map((head) =>
        lines.find((line) => line.startsWith(head))?.slice(head.length),
      );
      if (name !== undefined && data !== undefined) yield [name, JSON.parse(data)];
    }
  }
}
