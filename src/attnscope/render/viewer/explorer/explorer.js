// The explorer of attention maps: a change of the state or of the focus is drawn once, in the next frame.

import { listenControls } from "./controls.js";
import { Dom, setText } from "../dom.js";
import { createSave } from "./files.js";
import { createHighlights } from "./highlights.js";
import { captionLine, showLegend } from "../legend.js";
import { createMapCache } from "./map_cache.js";
import { captionOf, fileNotes } from "./map_legend.js";
import { createMissing } from "./missing.js";
import { createSearch } from "./search.js";
import { createExplorerStore, createFocus } from "./store.js";
import { createTooltip } from "../tooltip.js";
import { createTopPanel } from "./top_panel.js";
import { createModels } from "./view_model.js";
import { VIEWS } from "./views.js";
import { t } from "../speech.js";

/** @typedef {import("./view_model.js").ViewModel} ViewModel @typedef {import("./views.js").View} View */

/**
 * @param {HTMLElement} root holds the elements of explorer.html
 * @param {import("../source.js").MapSource} source
 * @param {import("../url_state.js").Address | null} address where the state is written; null for all but a page's main viewer
 */
export function start(root, source, address = null) {
  const { manifest } = source;
  const dom = new Dom(root);
  dom.part("no-script").hidden = true;
  const store = createExplorerStore(manifest, address);
  const { state, update, onChange } = store;
  const focus = createFocus(store);
  const models = createModels(manifest, () => dom.isDark());
  const cache = createMapCache(source);
  const highlights = createHighlights(dom);
  /** The current map and how it is shown; null in views without a map. @type {ViewModel | null} */
  let model = null;
  let [pending, whole] = [0, false];
  /** The legend's current colours. @type {string[]} */
  let ramp = [];

  /** @type {import("./views.js").Context} */
  const context = {
    failed,
    dom,
    manifest,
    state,
    update,
    onChange,
    focus,
    models,
    cache,
    highlights,
    redraw,
    tooltip: createTooltip(dom),
    search: createSearch(dom, state, focus),
    current: () => model,
    view: () => viewNow(),
  };
  const views = {
    overview: VIEWS.overview(context),
    head: VIEWS.head(context),
    text: VIEWS.text(context),
    lines: VIEWS.lines(context),
    flow: VIEWS.flow(context),
  };
  const missing = createMissing(context);
  const topPanel = createTopPanel(context);
  const everyMapIsHere = () => models.wanted(state).every(cache.isHere);

  /** The view for the state, or the one that replaces it if its map is missing. @returns {View} */
  function viewNow() {
    const view = views[state.view];
    return view.needsMap && !everyMapIsHere() ? missing : view;
  }

  /** Says in the page what could not be read. @param {unknown} error */
  function failed(error) {
    dom.part("notes").textContent = t("This map cannot be read: {reason}", {
      reason: /** @type {Error} */ (error).message,
    });
  }

  /** Draws in the next frame. @param {boolean} all everything, or only what follows the pointer */
  function redraw(all) {
    whole ||= all;
    pending ||= requestAnimationFrame(() => {
      pending = 0;
      const everything = whole;
      whole = false;
      if (everything) void draw();
      else follow();
    });
  }

  /** Draws what the state asks for, as soon as its map has come; whether there is such a map. */
  async function draw() {
    dom.setTheme(state.theme);
    const view = viewNow();
    dom.part("missing").hidden = view !== missing;
    dom.part("views").classList.toggle("absent", view === missing);
    if (!view.needsMap) {
      show(view, null);
      return true;
    }
    const name = models.mapName(state);
    const known = cache.atOnce(name);
    if (known) {
      show(view, models.modelOf(state, known));
      return true;
    }
    // The previous map stays until this one has arrived.
    dom.part("views").setAttribute("aria-busy", "true");
    let map;
    try {
      map = await cache.map(name, models.wanted(state), models.unitsOf(state));
    } catch (error) {
      failed(error);
      return false;
    } finally {
      dom.part("views").removeAttribute("aria-busy");
    }
    const now = viewNow();
    if (name === models.mapName(state) && now.needsMap) show(now, models.modelOf(state, map));
    return true;
  }

  /** Whether the map that is shown is the one that the state asks for: a new one takes a while to come. */
  const isCurrent = () => !viewNow().needsMap || (model !== null && model.map === cache.atOnce(models.mapName(state)));

  /** @param {View} view @param {ViewModel | null} next */
  function show(view, next) {
    model = next;
    if (model) {
      if (state.pin >= (state.dir === "to" ? model.query : model.key).units.length)
        return update({ pin: -1, other: -1 });
      if (state.pin >= 0) focus.unit = state.pin;
      highlights.setColours(model.paint.colours, model.paint.colours, models.signedPaint().colours);
    }
    view.show(given());
    follow();
    return undefined;
  }

  /** The model for the view now, which reads none where it needs none. */
  const given = () => /** @type {ViewModel} */ (model);

  /** Draws what follows the pointer: colours, lines, numbers and their heading. */
  function follow() {
    const view = viewNow();
    if (view.needsMap && !model) return;
    view.follow(given());
    const legend = view.legend(given());
    if (ramp !== legend.colours) {
      ramp = legend.colours;
      dom.part("ramp").style.background = `linear-gradient(to right, ${ramp.join()})`;
    }
    showLegend(dom, legend);
    topPanel.show(model, view);
    setText(dom.part("source"), view.sourceName());
    setText(dom.part("caption"), captionLine(captionOf(manifest, state, view, model, legend)));
  }

  const save = createSave(dom, async () => {
    do {
      if (!(await draw())) return null;
    } while (!isCurrent());
    const view = viewNow();
    const legend = view.legend(given());
    const place = views[state.view].needsMap ? `-layer${state.layer}-head${state.head}` : "";
    return {
      name: `attention-${state.view}${place}`,
      get body() {
        return view.svg(given());
      },
      get table() {
        return view.table(given());
      },
      subject: model ? topPanel.subject(model, view) : [],
      legend,
      caption: captionOf(manifest, state, view, model, legend),
    };
  });

  onChange((before) => {
    if (views[state.view].onlyTo) state.dir = "to";
    if (
      before.pin !== state.pin ||
      before.dir !== state.dir ||
      before.unit !== state.unit ||
      before.view !== state.view
    ) {
      focus.unit = state.pin;
      focus.other = -1;
    }
    if (before.view !== state.view || before.unit !== state.unit) views[before.view].leave?.();
    // The worker starts at once; drawing waits for the next frame.
    if (viewNow().needsMap) void cache.map(models.mapName(state), models.wanted(state), models.unitsOf(state));
    redraw(true);
  });
  focus.onChange(() => redraw(false));
  dom.onSystemTheme(() => redraw(true));
  // The views' height depends on what is drawn; their width and the window's height decide how it is drawn.
  let width = dom.part("views").clientWidth;
  new ResizeObserver(() => {
    if (dom.part("views").clientWidth === width) return;
    width = dom.part("views").clientWidth;
    redraw(true);
  }).observe(dom.part("views"));
  dom.onWindow("resize", () => redraw(true));

  setText(dom.part("title"), manifest.title);
  setText(dom.part("notes"), fileNotes(manifest).join(" "));
  dom.part("search").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !model) return;
    const unit = context.search.next(model, event.shiftKey ? -1 : 1);
    if (unit >= 0) viewNow().reveal?.(unit);
  });
  listenControls(context, store, save);
  void draw();
  // A long text takes a while to build, so parts of it are built whenever there is time, before the view is opened.
  const idle = window.requestIdleCallback ?? setTimeout;
  const ahead = () => views.text.buildAhead?.(performance.now() + 8) || idle(ahead);
  idle(ahead);
  performance.mark("attnscope");
}
