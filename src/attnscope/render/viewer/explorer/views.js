// The views, with one file and one row each. Everything that differs between views is in the View that its row makes.

import { createFlow } from "./flow.js";
import { createHead } from "./head.js";
import { createLines } from "./lines.js";
import { createOverview } from "./overview.js";
import { createText } from "./text.js";

/**
 * @typedef {import("./view_model.js").ViewModel} ViewModel
 * @typedef {{
 *   dom: import("../dom.js").Dom, manifest: import("../source.js").Manifest, state: import("./view_state.js").State,
 *   update: import("./store.js").ExplorerStore["update"], onChange: import("./store.js").ExplorerStore["onChange"],
 *   focus: import("./store.js").Focus, models: import("./view_model.js").Models,
 *   cache: import("./map_cache.js").MapCache, tooltip: import("../tooltip.js").Tooltip,
 *   highlights: import("./highlights.js").Highlights, search: import("./search.js").Search,
 *   redraw: (all: boolean) => void, failed: (error: unknown) => void, current: () => ViewModel | null, view: () => View,
 * }} Context
 * What every view gets. redraw: draws in the next frame, everything or only what follows the pointer. failed: says in the page that a map could not be read. current: the map
 * that is shown now; view: the view that shows it.
 *
 * @typedef {{
 *   needsMap: boolean,
 *   show: (model: ViewModel) => void,
 *   follow: (model: ViewModel) => void,
 *   legend: (model: ViewModel) => import("../legend.js").Legend,
 *   sourceName: () => string,
 *   svg: (model: ViewModel) => import("../svg.js").Body,
 *   table: (model: ViewModel) => (string | number)[][],
 *   values?: (model: ViewModel) => Float32Array | null,
 *   verb?: () => string,
 *   reveal?: (unit: number) => void,
 *   leave?: () => void,
 *   buildAhead?: (until: number) => boolean,
 *   onlyTo?: boolean,
 * }} View
 * needsMap: whether it shows a map; if not, it does not use the model. show: draws everything; follow: draws what
 * follows the pointer, also after every show. legend, sourceName: what the colours mean and where they come from, on
 * the page and in files. svg, table: the view as a picture and as rows. values: those of the unit in focus, where they
 * are not the map's own, and verb: how the unit relates to them. reveal: brings a unit into sight. leave: called when
 * another view is shown. buildAhead: prepares while there is time; returns whether it is ready. onlyTo: whether it has
 * only one direction, from queries to keys.
 */

/** @type {Record<import("./view_state.js").ViewName, (context: Context) => View>} */
export const VIEWS = {
  overview: createOverview,
  head: createHead,
  text: createText,
  lines: createLines,
  flow: createFlow,
};
