// Adds to a page of comparisons that reads without it: values on hover and focus, a walk with the arrow keys, a table
// that sorts and filters. It knows the documented JSON (docs/schema.md); text enters the page through textContent alone.

/**
 * @typedef {{text: string, score: number}} Word
 * @typedef {{name: string, result: {words: Word[]}, ranks: number[]}} Side
 * @typedef {{left: number | null, right: number | null, kind: string, change: number, rank_change: number | null,
 *   restores: number | null}} Pair
 * @typedef {{left: Side, right: Side, pairs: Pair[]}} Comparison
 */

/** @param {string} id @returns {HTMLElement} */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const data = JSON.parse(byId("data").textContent ?? "");
/** @type {Comparison[]} */
const comparisons = data.kind === "comparisons" ? data.pairs : [data];
const lists = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".pairs")]);
const tip = byId("tip");
const live = byId("live");

/** Four significant digits, as Python's caption writes them. @param {number} value */
function number(value) {
  const rounded = Number(value.toPrecision(4));
  const size = Math.abs(rounded);
  return size > 0 && (size < 1e-4 || size >= 1e4) ? rounded.toExponential() : String(rounded);
}

/** @param {Side} side @param {number | null} index */
function sideLine(side, index) {
  if (index === null) return `${side.name}: nothing`;
  const word = side.result.words[index];
  return `${side.name}: ${word.text.trim()}, score ${number(word.score)}, rank ${side.ranks[index]} of ${side.ranks.length}`;
}

/** @param {Comparison} comparison @param {Pair} pair */
function values(comparison, pair) {
  const lines = [sideLine(comparison.left, pair.left), sideLine(comparison.right, pair.right)];
  lines.push(`change ${number(pair.change)}${pair.rank_change === null ? "" : `, places ${pair.rank_change > 0 ? "+" : ""}${pair.rank_change}`}`);
  if (pair.restores !== null) lines.push(`undone alone: ${(100 * pair.restores).toFixed(1)} points`);
  return lines;
}

/** @param {HTMLElement} item @param {string[]} lines */
function openTip(item, lines) {
  tip.replaceChildren(
    ...lines.map((line) => {
      const made = document.createElement("div");
      made.textContent = line;
      return made;
    }),
  );
  tip.hidden = false;
  const box = item.getBoundingClientRect();
  const size = tip.getBoundingClientRect();
  const above = box.top - size.height - 8;
  tip.style.top = `${above > 4 ? above : box.bottom + 8}px`;
  tip.style.left = `${Math.max(8, Math.min(box.left, document.documentElement.clientWidth - size.width - 8))}px`;
}

const closeTip = () => {
  tip.hidden = true;
};

lists.forEach((list, which) => {
  const items = /** @type {HTMLElement[]} */ ([...list.children]);
  if (!items.length) return;
  items[0].tabIndex = 0;
  /** @param {EventTarget | null} target */
  const place = (target) => items.findIndex((item) => target instanceof Node && item.contains(target));
  /** @param {EventTarget | null} target @param {boolean} spoken */
  const show = (target, spoken) => {
    const index = place(target);
    if (index < 0) return closeTip();
    const lines = values(comparisons[which], comparisons[which].pairs[index]);
    openTip(items[index], lines);
    if (spoken) live.textContent = lines.join("; ");
  };
  list.addEventListener("pointerover", (event) => show(event.target, false));
  list.addEventListener("pointerleave", closeTip);
  list.addEventListener("focusin", (event) => show(event.target, true));
  list.addEventListener("focusout", closeTip);
  list.addEventListener("keydown", (event) => {
    const index = place(document.activeElement);
    if (index < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const forward = getComputedStyle(list).direction === "rtl" ? -1 : 1;
    /** @type {Record<string, number>} */
    const to = {
      ArrowRight: index + forward,
      ArrowLeft: index - forward,
      ArrowDown: onNextLine(items, index, 1),
      ArrowUp: onNextLine(items, index, -1),
      Home: 0,
      End: items.length - 1,
    };
    if (!(event.key in to)) return;
    event.preventDefault();
    const next = items[Math.max(0, Math.min(to[event.key], items.length - 1))];
    items[index].removeAttribute("tabindex");
    next.tabIndex = 0;
    next.focus();
  });
});

/** The pair nearest in x on the line above or below. @param {HTMLElement[]} items @param {number} index @param {number} direction */
function onNextLine(items, index, direction) {
  const from = items[index].getBoundingClientRect();
  let best = index;
  let nearest = Infinity;
  let line = NaN;
  for (let i = index + direction; i >= 0 && i < items.length; i += direction) {
    const box = items[i].getBoundingClientRect();
    if (Math.abs(box.top - from.top) < 4) continue;
    if (Number.isNaN(line)) line = box.top;
    if (Math.abs(box.top - line) > 4) break;
    const distance = Math.abs(box.left + box.right - from.left - from.right);
    if (distance < nearest) [best, nearest] = [i, distance];
  }
  return best;
}

const table = /** @type {HTMLTableElement | null} */ (document.querySelector("table.all"));
if (table) {
  const body = table.tBodies[0];
  const heads = [...table.querySelectorAll("th")];
  const rows = [...body.rows];
  /** @param {HTMLTableRowElement} row @param {number} column */
  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.sort ?? cell.textContent ?? "";
  };
  heads.forEach((head, column) => {
    head.querySelector("button")?.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const sign = up ? 1 : -1;
      const numeric = rows.every((row) => key(row, column) !== "" && !Number.isNaN(Number(key(row, column))));
      body.append(
        ...rows
          .map((row) => ({ row, value: key(row, column) }))
          .sort((a, b) => sign * (numeric ? Number(a.value) - Number(b.value) : a.value.localeCompare(b.value)))
          .map(({ row }) => row),
      );
    });
  });
  const filter = /** @type {HTMLElement} */ (document.querySelector(".filter"));
  const input = /** @type {HTMLInputElement} */ (filter.querySelector("input"));
  const count = /** @type {HTMLElement} */ (filter.querySelector("span"));
  filter.hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      const text = (row.textContent ?? "").toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) left += 1;
    }
    count.textContent = words.length ? `${left} of ${rows.length}` : "";
  });
  addEventListener("hashchange", () => {
    scrollTo(0, 0);
    closeTip();
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeTip();
});
addEventListener("scroll", closeTip, { passive: true });
byId("theme").addEventListener("click", () => {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const now = document.documentElement.dataset.theme ?? system;
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
});
byId("download").addEventListener("click", () => {
  const url = URL.createObjectURL(new Blob([byId("data").textContent ?? ""], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "attnscope-comparison.json";
  link.click();
  URL.revokeObjectURL(url);
});
for (const hidden of document.querySelectorAll(".controls, .hint")) /** @type {HTMLElement} */ (hidden).hidden = false;
