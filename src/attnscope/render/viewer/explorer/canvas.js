// Canvases, and work that yields to keys and the pointer.

/** Makes a canvas as large as its box, at the screen's resolution; true if its size changed.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height in CSS pixels */
export function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width === w && canvas.height === h) return false;
  canvas.width = w;
  canvas.height = h;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  return true;
}

/** A function that does work after keys and the pointer have been handled, sooner than a timer would.
 * @returns {(work: () => void) => void} */
export function createQueue() {
  const channel = new MessageChannel();
  /** @type {(() => void)[]} */
  const waiting = [];
  channel.port1.onmessage = () => waiting.shift()?.();
  return (work) => {
    waiting.push(work);
    channel.port2.postMessage(0);
  };
}
