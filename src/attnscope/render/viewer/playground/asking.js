// Questions of a page: one at a time of each kind, how far they are, and what is wrong.

import { AskError } from "../source.js";
import { setText } from "../dom.js";
import { language, t } from "../speech.js";

/** @typedef {ReturnType<typeof createAsking>} Asking */

/** Milliseconds between two looks whether a server that was lost is back. */
const AGAIN = 1000;

/** @param {import("../dom.js").Dom} dom @param {import("../source.js").AskingSource} source
 * @param {() => void} back called when a source that was lost answers again */
export function createAsking(dom, source, back) {
  const client = crypto.randomUUID?.() ?? String(Math.random());
  /** @type {Map<string, AbortController>} */
  const running = new Map();
  let lost = false;
  const [bar, error] = [dom.part("progress"), dom.part("error")];
  /** What takes long and waits for a word, by slot, the last one shown. @type {Map<string, {says: string, agree: () => void}>} */
  const plans = new Map();

  /** @param {string} slot @param {any} data */
  function showProgress(slot, { what, done, total, left }) {
    bar.hidden = false;
    bar.dataset.slot = slot;
    const meter = /** @type {HTMLProgressElement} */ (dom.part("done"));
    [meter.max, meter.value] = [total, done];
    const seconds = Math.max(1, Math.round(left));
    setText(
      dom.part("progress-says"),
      t("{what}: {done} of {total}, about {seconds} s left", { what, done, total, seconds }),
    );
  }

  function showPlan() {
    const last = [...plans.values()].at(-1);
    dom.part("plan").hidden = !last;
    setText(dom.part("plan-says"), last ? t("This takes a while: {plan}.", { plan: last.says }) : "");
  }

  /** Until it is agreed that this is done, however long it takes. @param {string} slot @param {string} says
   * @param {AbortSignal} signal @returns {Promise<void>} */
  function agreed(slot, says, signal) {
    return new Promise((agree, refuse) => {
      plans.set(slot, { says, agree });
      signal.addEventListener("abort", () => refuse(new DOMException("nobody waits for it", "AbortError")));
      showPlan();
    });
  }

  dom.part("go").addEventListener("click", () => [...plans.values()].at(-1)?.agree());

  /** @param {string} slot */
  function ended(slot) {
    plans.delete(slot);
    showPlan();
    if (bar.dataset.slot === slot) bar.hidden = true;
  }

  async function waitForServer() {
    if (lost) return;
    lost = true;
    for (let why = " "; why;) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
      why = await source.here();
      if (why) say(why);
    }
    lost = false;
    say("");
    dom.say(t("the server is back"));
    back();
  }

  /** @param {string} words */
  function say(words) {
    setText(error, words);
    error.hidden = !words;
  }

  dom.part("cancel").addEventListener("click", () => stop(bar.dataset.slot ?? ""));

  /** Takes back what was asked. @param {string} slot */
  function stop(slot) {
    running.get(slot)?.abort();
    running.delete(slot);
    ended(slot);
  }

  return {
    say,
    stop,
    /**
     * The answer; null where a newer question took its place; undefined where there is none, which the page then says.
     * What takes long is asked about first.
     * @param {string} slot a newer question takes the place of the one that runs
     * @param {import("../source.js").Question} question
     * @param {(event: string, data: any) => void} [heard]
     * @param {boolean} [unasked] whether nobody asked for it, so that nobody is asked about it either
     * @returns {Promise<any>}
     */
    async ask(slot, question, heard = () => {}, unasked = false) {
      stop(slot);
      const control = new AbortController();
      running.set(slot, control);
      try {
        /** @param {boolean} go */
        const send = (go) =>
          source.ask(
            { ...question, client, slot, go, lang: language() },
            (event, data) => {
              if (control.signal.aborted) return;
              if (event === "progress") showProgress(slot, data);
              else heard(event, data);
            },
            control.signal,
          );
        let answer = await send(false);
        if (answer.plan && !control.signal.aborted) {
          if (unasked) return null;
          await agreed(slot, answer.plan, control.signal);
          plans.delete(slot);
          showPlan();
          answer = await send(true);
        }
        if (control.signal.aborted) return null;
        say("");
        return answer;
      } catch (failure) {
        const { name, message } = /** @type {Error} */ (failure);
        if (control.signal.aborted || name === "AbortError") return null;
        say(message);
        if (failure instanceof AskError && failure.lost) void waitForServer();
        return undefined;
      } finally {
        if (running.get(slot) === control) {
          running.delete(slot);
          ended(slot);
        }
      }
    },
  };
}
