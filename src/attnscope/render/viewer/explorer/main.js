// Puts it together: a change of the state or of what is pointed at is drawn once, in the next frame.

import { control } from "./controls.js";
import { drawStrip, showFlow, strip } from "./flow.js";
import { drawOver, pointAt, showHead } from "./head.js";
import { focus, onChange, onFocus, state, update } from "./hub.js";
import { listenKeys } from "../keyboard.js";
import { KEYS } from "./keys.js";
import { caption, notes, showLegend } from "./legend.js";
import { drawLines, listenLines, showLines } from "./lines.js";
import { drawTile, showOverview, tileShape } from "./overview.js";
import { front } from "./front.js";
import { byId, onSystemTheme, setTheme } from "../page.js";
import { setColours } from "./highlights.js";
import { elementOf } from "../passage.js";
import { showRanking } from "./ranking.js";
import { reach } from "./reach.js";
import { gridName, paintOf, sceneOf, signedPaint, sourceName, units, wanted } from "./scene.js";
import { matches, next, places } from "./search.js";
import { atOnce, grid, isHere, smallPictures } from "./stock.js";
import { built, coloured, colourText, followRollout, rolledRow, showText, step, textOf } from "./text.js";

/** @typedef {import("./scene.js").Scene} Scene */

/** @type {Scene | null} */
let scene = null;
let pending = 0;
let whole = false;

/** @param {boolean} all everything, or only what follows the pointer */
function redraw(all) {
  whole ||= all;
  pending ||= requestAnimationFrame(() => {
    pending = 0;
    const everything = whole;
    whole = false;
    if (everything) draw();
    else follow();
  });
}

function draw() {
  setTheme(state.theme);
  byId("source").textContent = state.view === "overview" ? "" : sourceName(state);
  if (state.view === "overview") {
    scene = null;
    showOverview();
    showLegend(null);
    showCaption();
    return;
  }
  const known = atOnce(gridName(state));
  if (known) return show(sceneOf(state, known));
  return fetchGrid();
}

/** Asks for the map; the one before stays until it is there. */
function fetchGrid() {
  const name = gridName(state);
  const places = wanted(state);
  const here = places.every(isHere);
  byId("missing").hidden = here;
  byId("views").classList.toggle("absent", !here);
  if (!here) {
    scene = null;
    void outline();
    return showCaption();
  }
  byId("views").setAttribute("aria-busy", "true");
  void grid(name, places, units(state)).then(
    (made) => {
      byId("views").removeAttribute("aria-busy");
      if (name === gridName(state) && state.view !== "overview") show(sceneOf(state, made));
    },
    (error) => {
      byId("views").removeAttribute("aria-busy");
      byId("notes").textContent = `This map cannot be read: ${error.message}`;
    },
  );
  return undefined;
}

/** Where a map was left out: its small picture, large. */
async function outline() {
  const [[layer, head]] = wanted(state);
  if (!front.atlas) return;
  const [rows, columns] = tileShape();
  const bytes = await smallPictures();
  const at = (layer * front.heads.length + head) * rows * columns;
  drawTile(/** @type {HTMLCanvasElement} */ (byId("outline")), bytes.subarray(at, at + rows * columns), rows, columns, paintOf(state));
}

/** @param {Scene} shown */
function show(shown) {
  scene = shown;
  byId("missing").hidden = true;
  byId("views").classList.remove("absent");
  if (state.pin >= (state.dir === "to" ? shown.query : shown.key).units.length) return update({ pin: -1, other: -1 });
  if (state.pin >= 0) focus.unit = state.pin;
  const found = matches(shown);
  setColours(shown.paint.colours, shown.paint.colours, signedPaint().colours);
  if (state.view === "head") showHead(shown, places(shown));
  else if (state.view === "text") showText(shown, found.keys.flat());
  else if (state.view === "lines") showLines(shown);
  else showFlow(shown, () => redraw(true));
  follow();
  showCaption();
  return undefined;
}

/** What follows the pointer: colours, lines, numbers. */
function follow() {
  if (!scene) return;
  if (state.view === "text") {
    followRollout(() => redraw(false));
    colourText();
    const { most, signed, mean } = coloured();
    showLegend(scene, mean || state.from === "rollout" ? most : null, signed ? [signedPaint().colours, most] : null);
  } else {
    if (state.view === "lines") drawLines();
    else if (state.view === "head") drawOver();
    else drawStrip();
    showLegend(scene);
  }
  showRanking(scene, state.view === "text" ? rolledRow() : state.view === "flow" ? climbedRow(scene) : null);
}

/** What rollout came to; nothing while it is on its way. @param {Scene} shown */
const climbedRow = (shown) => strip(shown)?.at(-1) ?? new Float32Array(shown.grid.nk);

function showCaption() {
  const words = caption(scene);
  if (byId("caption").textContent !== words) byId("caption").textContent = words;
}

onChange((before) => {
  if (state.view === "flow") state.dir = "to"; // down from a query there is no other way
  if (before.pin !== state.pin || before.dir !== state.dir || before.unit !== state.unit || before.view !== state.view) {
    focus.unit = state.pin;
    focus.other = -1;
  }
  if (before.view !== state.view || before.unit !== state.unit) pointAt(-1, -1);
  // The worker starts at once; what is drawn waits for the next frame.
  if (state.view !== "overview" && wanted(state).every(isHere)) void grid(gridName(state), wanted(state), units(state));
  redraw(true);
});
onFocus(() => redraw(false));
onSystemTheme(() => redraw(true));
// The views' height follows from what is drawn; their width, and the window's height, say how it is drawn.
let width = byId("views").clientWidth;
new ResizeObserver(() => {
  if (byId("views").clientWidth === width) return;
  width = byId("views").clientWidth;
  redraw(true);
}).observe(byId("views"));
addEventListener("resize", () => redraw(true));

byId("title").textContent = front.title;
byId("notes").textContent = notes();
for (const id of ["step-back", "step-next"]) byId(id).addEventListener("click", () => step(id === "step-back" ? -1 : 1));
byId("steps").hidden = front.continued === null;
byId("search").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !scene) return;
  next(scene, event.shiftKey ? -1 : 1, (unit) => {
    const text = textOf();
    if (text && state.view === "text") elementOf(text, unit)?.scrollIntoView({ block: "center" });
  });
});
reach(() => scene);
listenLines((dir) => update({ dir, pin: -1, other: -1 }));
listenKeys(KEYS);
control(() => scene);
draw();
// A long text takes a while to build: a little whenever there is time, before it is asked for.
const idle = window.requestIdleCallback ?? setTimeout;
const ahead = () => built(performance.now() + 8).whole || idle(ahead);
idle(ahead);
performance.mark("attnscope");
