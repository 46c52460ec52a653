// The playground: a text that is typed, and what a model makes of it, in the viewers of the pages from disk.

import { start as startImportance } from "../reading/attribution.js";
import { Dom, element } from "../dom.js";
import { bindForm } from "../form_binding.js";
import { createStore } from "../url_state.js";
import { createAsking } from "./asking.js";
import { createAllHeads } from "./all_heads.js";
import { createAttention } from "./attention.js";
import { VERSUS, createCompare } from "./compare.js";
import { createGenerate } from "./generate.js";
import { createHistory, createKeep } from "./keep.js";
import { fill, nestedAddress, placed } from "./nested.js";
import { createNextWords } from "./next_words.js";
import { KINDS, createParts, givenBy, isEmpty, nameOf } from "./parts.js";
import { listenTyping } from "./typing.js";
import { createWithout } from "./without.js";

const PANELS = ["importance", "attention", "without", "generate", "compare"];
/** The parts of the state that say what is asked about. */
const INPUT = /** @type {const} */ (["kind", "text", "parts", "model"]);

/** @param {HTMLElement} list @param {[string, string][]} choices @param {string} [lang] */
function addOptions(list, choices, lang = "") {
  for (const [value, name] of choices) {
    const option = /** @type {HTMLOptionElement} */ (element("option", name));
    option.value = value;
    if (lang) option.lang = lang;
    list.append(option);
  }
}

/** Fills the lists of models, methods and examples. @param {Dom} dom @param {import("../source.js").Setup} setup */
function fillLists(dom, { models, methods, examples }) {
  addOptions(
    dom.part("model"),
    models.map((name) => [name, name]),
  );
  addOptions(
    dom.part("other-model"),
    models.map((name) => [name, name]),
  );
  dom.part("model-choice").hidden = models.length < 2;
  for (const part of ["method", "other-method"])
    addOptions(
      dom.part(part),
      methods.map(([name]) => [name, name.replaceAll("_", " ")]),
    );
  for (const [lang, name, text] of examples) addOptions(dom.part("examples"), [[text, name]], lang);
}

/** @param {HTMLElement} root @param {import("../source.js").AskingSource} source
 * @param {import("../url_state.js").Address | null} address */
export function start(root, source, address = null) {
  const dom = new Dom(root);
  dom.part("no-script").hidden = true;
  const { setup } = source;
  fillLists(dom, setup);
  const store = createStore(
    {
      kind: "text",
      text: "",
      parts: "",
      target: "",
      method: "gradient",
      model: setup.models[0],
      panel: "importance",
      word: -1,
      click: "attention",
      gone: "",
      versus: "text",
      otherText: "",
      otherModel: setup.models[1] ?? setup.models[0],
      otherMethod: setup.methods[1]?.[0] ?? "gradient",
      theme: "",
    },
    {
      kind: KINDS,
      method: setup.methods.map(([name]) => name),
      versus: VERSUS,
      otherModel: setup.models,
      otherMethod: setup.methods.map(([name]) => name),
      model: setup.models,
      panel: PANELS,
      click: ["attention", "without", "pin"],
      theme: ["", "light", "dark"],
    },
    address,
  );
  const { state, update, onChange } = store;
  const theme = () => state.theme;
  const importance = nestedAddress();
  /** What the result that is painted is about, where that is neither chosen nor what the model would write.
   * @type {{target: string | null}} */
  const painted = { target: null };
  /** What `asked` is of, whatever is done with it. */
  const text = () => ({ ask: "", model: state.model, ...givenBy(state) });
  /** Another text: what belonged to the one before goes. @param {Partial<typeof state>} patch */
  const type = (patch) => update({ target: "", word: -1, gone: "", ...patch });
  const asked = () => ({ ...text(), method: state.method, target: state.target || null });
  const asking = createAsking(dom, source, () => explain());
  const attention = createAttention(dom, asking, source, text, theme);
  const without = createWithout(
    dom,
    asking,
    () => ({ ...text(), target: state.target || null }),
    state,
    (gone) => update({ gone }),
  );
  const allHeads = createAllHeads(dom, asking, text, (layer, head) =>
    attention.address.set({ layer, head, from: "head" }),
  );
  const compare = createCompare(dom, asking, asked, state, update, theme);
  const parts = createParts(dom, type);
  const generate = createGenerate(dom, asking, () => ({ ...text(), method: state.method }), theme);
  const nextWords = createNextWords(dom, (target) => update({ target }));
  const typing = listenTyping(/** @type {HTMLTextAreaElement} */ (dom.part("input")), (typed) => type({ text: typed }));
  const keep = createKeep(dom, asking, () => {
    const { panel } = state;
    if (panel === "compare") return { ...compare.kept(), of: "compare" };
    if (panel === "without") {
      const { about, ...taken } = without.taken();
      return { ...asked(), ...taken, of: "without", target: state.target || about };
    }
    if (panel !== "generate")
      return { ...asked(), of: panel === "attention" ? "maps" : panel, target: state.target || painted.target };
    const { written, method, count } = generate.last;
    return { ...asked(), method, count, of: "generate", target: written || null };
  });
  const history = createHistory(dom, (/** @type {typeof state} */ before) => update({ ...before, theme: state.theme }));

  /** Asks what the target relied on, and paints it. What is painted until then is marked as older. */
  async function explain() {
    painted.target = null;
    const holder = dom.part("importance-holder");
    if (isEmpty(state)) {
      asking.stop("importance");
      asking.say("");
      return forget();
    }
    holder.setAttribute("aria-busy", "true");
    const answer = await asking.ask("importance", { ...asked(), ask: "importance" }, (event, data) => {
      if (event === "next") nextWords.show(data);
    });
    if (answer === null) return undefined;
    if (answer === undefined) return forget();
    holder.removeAttribute("aria-busy");
    paint(answer);
    history.add(nameOf(state), { ...state });
    // What may be looked at next is made ready while nothing else is asked.
    void attention.prepare(state.panel !== "attention");
    return undefined;
  }

  /** There is no result of what is asked about now: none is shown. */
  function forget() {
    const holder = dom.part("importance-holder");
    holder.removeAttribute("aria-busy");
    placed(holder, null, "");
    without.clear();
    attention.clear();
    allHeads.clear();
    compare.forget();
  }

  /** The attention of the word that was clicked: its row in the explorer, and in every head. */
  async function look() {
    const manifest = await attention.look(state.word);
    if (manifest) await allHeads.show(manifest, state.word);
  }

  /** @param {import("./nested.js").Described & {target: string | null, segments: import("./without.js").Segment[]}} answer */
  function paint(answer) {
    const result = JSON.parse(answer.result);
    painted.target = answer.target;
    const holder = placed(dom.part("importance-holder"), dom.part("importance-template"), theme());
    fill(holder, answer.shown);
    startImportance(holder, { result: () => answer.result }, importance);
    performance.mark("painted");
    without.show(
      result.text,
      result.words.map((/** @type {{start: number, end: number}} */ word) => [word.start, word.end]),
      answer.segments,
    );
    if (state.panel === "compare") void compare.ask();
  }

  /** What a click on a word of the result does. @param {Element | null | undefined} word */
  function open(word) {
    const holder = word?.closest("[data-part=text]");
    if (!word || !holder || state.click === "pin") return;
    const before = document.createRange();
    before.setStart(holder, 0);
    before.setEndBefore(word);
    const place = Array.from(before.toString()).length;
    const blank = /^\s*/.exec(word.textContent ?? "")?.[0].length ?? 0;
    if (state.click === "attention") {
      update({ panel: "attention", word: place + blank });
    } else {
      update({ panel: "without" });
      without.toggleAt(place + blank);
    }
  }
  const holder = dom.part("importance-holder");
  const wordOf = (/** @type {Event} */ event) => /** @type {Element} */ (event.target).closest("[data-part=text] .u");
  holder.addEventListener("click", (event) => open(wordOf(event)));
  holder.addEventListener("keydown", (event) => {
    if (event.key === "Enter") open(wordOf(event));
  });

  /** Everything is as light or dark as was chosen here, or as the reader's system, or the notebook around the page. */
  function colour() {
    dom.setTheme(theme());
    if (!theme()) delete root.dataset.theme;
    for (const nested of [importance, attention.address, generate.address, ...compare.addresses])
      nested.set({ theme: theme() });
    allHeads.paint();
  }

  function reflect() {
    typing.show(state.text);
    parts.show(state);
    compare.reflect();
    nextWords.reflect(state.target);
    for (const panel of PANELS) dom.part(`panel-${panel}`).hidden = state.panel !== panel;
    for (const button of dom.all("nav [data-panel]")) {
      if (button.dataset.panel === state.panel) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
  }

  onChange((before) => {
    reflect();
    /** @param {readonly (keyof typeof state)[]} keys */
    const changed = (...keys) => keys.some((key) => before[key] !== state[key]);
    const input = changed(...INPUT);
    if (input) {
      allHeads.clear();
      importance.write("");
      generate.clear();
      without.clear();
      dom.part("nexts").hidden = isEmpty(state);
    }
    const other = input || changed("target", "method");
    if (other) void explain();
    if (!other && changed("gone")) without.changed();
    if (!other && state.panel === "compare" && changed("panel", "versus", "otherText", "otherModel", "otherMethod"))
      void compare.ask();
    if (other || changed("panel", "gone", "versus", "otherText", "otherModel", "otherMethod")) {
      void keep.showCode();
      if (state.panel === "attention" && state.word < 0) void attention.prepare(false);
      if (state.panel === "without" && changed("panel") && !isEmpty(state)) void without.ask();
    }
    if (
      state.panel === "attention" &&
      state.word >= 0 &&
      (other || before.word !== state.word || before.panel !== state.panel)
    )
      void look();
    if (before.theme !== state.theme) colour();
  });
  for (const button of dom.all("nav [data-panel]"))
    button.addEventListener("click", () => update({ panel: button.dataset.panel }));
  dom.part("theme").addEventListener("click", () => update({ theme: dom.isDark() ? "light" : "dark" }));
  const examples = /** @type {HTMLSelectElement} */ (dom.part("examples"));
  examples.addEventListener("change", () => {
    if (examples.value) type({ kind: "text", parts: "", text: examples.value });
    examples.value = "";
  });
  dom.onSystemTheme(() => allHeads.paint());
  bindForm(dom, store);
  colour();
  reflect();
  if (!isEmpty(state)) {
    void explain();
    if (state.panel === "attention" && state.word >= 0) void look();
  }
  // In a notebook, the focus is where the reader left it.
  if (parent === window) dom.part("input").focus();
}
