// What `benchmarks/viewer.py` does in the page: its hands and its clock.

const part = (name) => document.querySelector(`[data-part="${name}"]`);
const frame = () => new Promise(requestAnimationFrame);
const median = (all) => all.sort((a, b) => a - b)[all.length >> 1];
const channel = new MessageChannel();
/**
 * Lets other work go on, sooner than a timer would. One channel for all: each leaves much for the garbage collector.
 */
const turn = () =>
  new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });
const stage = () => part("stage");
const pointer = (x, y) => {
  const box = stage().getBoundingClientRect();
  const place = { clientX: box.left + x, clientY: box.top + y };
  stage().dispatchEvent(new PointerEvent("pointermove", { ...place, bubbles: true, pointerId: 1 }));
};

window.shown = () => part("map").dataset.shown;

/** Milliseconds from asking for a head to its painted map; jumps, so that nothing can have been fetched before. */
window.switches = async (count) => {
  const times = [];
  for (let i = 0; i < count; i++) {
    const before = window.shown();
    await new Promise((resolve) => setTimeout(resolve, 60));
    const start = performance.now();
    // One choice at a time, as a hand does: now a layer, now a head; no pair comes twice.
    const list = part(i % 2 ? "head-number" : "layer");
    list.selectedIndex = (list.selectedIndex + (i % 2 ? 4 : 5)) % list.options.length;
    list.dispatchEvent(new Event("change", { bubbles: true }));
    const missing = part("missing");
    while (window.shown() === before && missing.hidden) await turn();
    await frame();
    if (missing.hidden) times.push(performance.now() - start);
  }
  return median(times);
};

/** Milliseconds from a moved pointer to the end of the second frame after it. */
window.hovers = async (count) => {
  const times = [];
  for (let i = 0; i < count; i++) {
    await frame();
    const start = performance.now();
    pointer(140 + 4 * i, 300 + 3 * i);
    await frame();
    await frame();
    times.push(performance.now() - start);
  }
  return median(times);
};

/** Frames a second while something moves in each. */
window.sweep = async (seconds, move) => {
  await frame();
  const start = performance.now();
  let frames = 0;
  while (performance.now() - start < 1000 * seconds) {
    move(frames++);
    await frame();
  }
  return frames / ((performance.now() - start) / 1000);
};
window.cells = (i) => pointer(130 + ((i * 7) % 400), 120 + ((i * 5) % 400));
window.words = (i) => {
  const all = document.querySelectorAll("[data-part=text-query] .u");
  all[(i * 3) % all.length].dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
};

window.finding = async (needle) => {
  const field = part("search");
  const start = performance.now();
  field.value = needle;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await frame();
  return performance.now() - start;
};

window.long = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.long.push([entry.startTime, entry.duration]);
}).observe({ type: "longtask", buffered: true });

/** When the last long task ended, or the page had loaded. */
window.restedAt = () => {
  const loaded = performance.timing.loadEventEnd - performance.timing.navigationStart;
  return Math.max(loaded, ...window.long.map(([start, took]) => start + took));
};

/** Whether something is drawn and nothing has kept the page busy for a second. */
window.atRest = () =>
  document.querySelectorAll("svg *, canvas, button").length > 9 && performance.now() - window.restedAt() > 1000;
