// Pointer, wheel, two fingers and keys on the map of a head.

import { cellAt, held } from "./heatmap.js";

const MOST = 60; // pixels per cell at the largest zoom

/** @param {import("./views.js").Context} context @param {HTMLElement} stage @param {import("./head.js").Frame} frame
 * @param {(q: number, k: number) => void} pointAt points at the cell at these places; below 0 at none */
export function listenInput({ dom, state, update, focus, current }, stage, frame, pointAt) {
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  let moved = false;
  let apart = 0;

  /** @param {number} x @param {number} y @param {number} times */
  function zoomTo(x, y, times) {
    const model = current();
    if (!model) return;
    const [sx, sy] = [frame.width / model.columns.length, frame.height / model.rows.length];
    const zoom = Math.max(1, Math.min(times, Math.max(1, MOST / Math.min(sx, sy))));
    const left = held(x, sx * zoom, frame.width, model.columns.length);
    const top = held(y, sy * zoom, frame.height, model.rows.length);
    const digits = (/** @type {number} */ value) => Number(value.toFixed(3));
    update({ zoom: zoom === 1 ? "" : [left, top, zoom].map(digits).join(" ") });
  }

  /** @param {number} px @param {number} py of the map, in CSS pixels @param {number} factor */
  function zoomAt(px, py, factor) {
    const model = current();
    if (!model) return;
    const { x, y, sx, sy } = frame.window;
    const before = (sx * model.columns.length) / frame.width;
    const least = Math.min(frame.width / model.columns.length, frame.height / model.rows.length);
    const after = Math.max(1, Math.min(before * factor, Math.max(1, MOST / least)));
    zoomTo(x + px / sx - px / ((sx * after) / before), y + py / sy - py / ((sy * after) / before), after);
  }

  /** @param {number} dx @param {number} dy cells */
  function pan(dx, dy) {
    const model = current();
    const { x, y, sx } = frame.window;
    if (model) zoomTo(x + dx, y + dy, (sx * model.columns.length) / frame.width);
  }

  /** @param {MouseEvent} event */
  function place(event) {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left - frame.left, y: event.clientY - box.top - frame.top };
  }

  /** @param {MouseEvent} event */
  function hover(event) {
    const model = current();
    if (!model) return;
    const { x, y } = place(event);
    const inside = x >= 0 && y >= 0 && x < frame.width && y < frame.height;
    const { window: view } = frame;
    const q = inside ? cellAt(y, view.y, view.sy, model.rows.length) : -1;
    const k = inside ? cellAt(x, view.x, view.sx, model.columns.length) : -1;
    pointAt(q, k);
  }

  stage.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    moved = false;
    apart = 0;
    if (fingers.size === 1) stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return hover(event);
    const [dx, dy] = [event.clientX - finger.x, event.clientY - finger.y];
    if (!moved && Math.hypot(dx, dy) < 4) return undefined;
    moved = true;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const { sx, sy } = frame.window;
    if (fingers.size === 1) return pan(-dx / sx, -dy / sy);
    const [a, b] = [...fingers.values()];
    const now = Math.hypot(a.x - b.x, a.y - b.y);
    const box = stage.getBoundingClientRect();
    if (apart) zoomAt((a.x + b.x) / 2 - box.left - frame.left, (a.y + b.y) / 2 - box.top - frame.top, now / apart);
    apart = now;
    return undefined;
  });
  stage.addEventListener("pointerup", (event) => {
    fingers.delete(event.pointerId);
    if (moved) return;
    hover(event);
    pin();
  });
  stage.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
  stage.addEventListener("pointerleave", () => fingers.size === 0 && pointAt(-1, -1));
  stage.addEventListener("dblclick", (event) => zoomAt(place(event).x, place(event).y, event.shiftKey ? 1 / 3 : 3));
  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const unit = event.deltaMode === 1 ? 16 : 1;
      if (event.shiftKey) pan((event.deltaY * unit) / frame.window.sx, 0);
      else zoomAt(place(event).x, place(event).y, Math.exp((-event.deltaY * unit) / 300));
    },
    { passive: false },
  );

  function pin() {
    const model = current();
    if (!model || frame.q < 0 || frame.k < 0) return;
    const unit = state.dir === "to" ? model.rows[frame.q] : model.columns[frame.k];
    update({ pin: state.pin === unit ? -1 : unit, other: -1 });
  }

  /** Moves to a cell and brings it into sight. @param {number} q @param {number} k places */
  function moveTo(q, k) {
    const model = current();
    if (!model) return;
    const [row, column] = [
      Math.max(0, Math.min(q, model.rows.length - 1)),
      Math.max(0, Math.min(k, model.columns.length - 1)),
    ];
    const { x, y, sx, sy } = frame.window;
    const [wide, tall] = [frame.width / sx, frame.height / sy];
    const dx = column < x ? column - x : column + 1 > x + wide ? column + 1 - x - wide : 0;
    const dy = row < y ? row - y : row + 1 > y + tall ? row + 1 - y - tall : 0;
    if (dx || dy) pan(dx, dy);
    pointAt(row, column);
  }

  stage.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const [q, k] = [Math.max(0, frame.q), Math.max(0, frame.k)];
    const far = event.shiftKey ? 10 : 1;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowRight: () => moveTo(q, k + far),
      ArrowLeft: () => moveTo(q, k - far),
      ArrowDown: () => moveTo(q + far, k),
      ArrowUp: () => moveTo(q - far, k),
      Home: () => moveTo(q, 0),
      End: () => moveTo(q, Infinity),
      Enter: pin,
      "+": () => zoomAt(middle()[0], middle()[1], 1.5),
      "=": () => zoomAt(middle()[0], middle()[1], 1.5),
      "-": () => zoomAt(middle()[0], middle()[1], 1 / 1.5),
      0: () => update({ zoom: "" }),
    };
    if (!(event.key in keys)) return;
    keys[event.key]();
    event.preventDefault();
    event.stopPropagation();
  });
  stage.addEventListener(
    "focus",
    () => focus.unit < 0 && frame.q < 0 && stage.matches(":focus-visible") && moveTo(0, 0),
  );

  /** The pointed cell, or the middle of the map. */
  const middle = () => {
    const { x, y, sx, sy } = frame.window;
    return frame.q < 0 ? [frame.width / 2, frame.height / 2] : [(frame.k + 0.5 - x) * sx, (frame.q + 0.5 - y) * sy];
  };
  dom.part("zoom-in").addEventListener("click", () => zoomAt(middle()[0], middle()[1], 2));
  dom.part("zoom-out").addEventListener("click", () => zoomAt(middle()[0], middle()[1], 0.5));
  dom.part("zoom-fit").addEventListener("click", () => update({ zoom: "" }));
}
