// The data of the page, canvases, and work that waits for its turn.

import { byId } from "../page.js";

/**
 * @typedef {import("../units.js").Side} Side
 * @typedef {{title: string, facts: [string, string][], signed: boolean, words: [number, number, number][]}} Score
 * @typedef {{schema: number, title: string, version: string, provenance: Record<string, string>, kind: string,
 *   sides: Side[], layers: number[], heads: number[], queries: number[], keys: number[], continued: number | null,
 *   statistics: Record<string, number[][]>, flow: Score[], palettes: Record<string, [string[], string[]]>,
 *   signed: [string[], string[]], coding: {power: number, top: number}, atlas: boolean, missing: number[],
 *   kept: {mean: number, worst: number} | null, megabytes: [number, number]}} Front
 */

/** @type {Front} */
export const front = JSON.parse(byId("front").textContent ?? "");
export const querySide = front.sides[0];
export const keySide = front.sides[front.sides.length - 1];
export const oneText = front.sides.length === 1;

/** A canvas as large as its box, at the screen's resolution; true where its size changed.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height in CSS pixels */
export function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width === w && canvas.height === h) return false;
  canvas.width = w;
  canvas.height = h;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  return true;
}

const channel = new MessageChannel();
/** @type {(() => void)[]} */
const waiting = [];
channel.port1.onmessage = () => waiting.shift()?.();
/** Does it once keys and pointer have had their turn, sooner than a timer would. @param {() => void} work */
export function soon(work) {
  waiting.push(work);
  channel.port2.postMessage(0);
}
