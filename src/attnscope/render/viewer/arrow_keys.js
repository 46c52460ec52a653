// Arrow keys over elements in reading order: words, tokens, pairs of words.

/** The place nearest in x on the line above or below `at`. @param {ArrayLike<Element | undefined>} elements
 * @param {number} at @param {number} direction 1 is down */
function onNextLine(elements, at, direction) {
  const from = elements[at]?.getBoundingClientRect();
  if (!from) return at;
  const middle = (from.left + from.right) / 2;
  let [best, nearest, line] = [at, Infinity, NaN];
  for (let i = at + direction; i >= 0 && i < elements.length; i += direction) {
    const box = elements[i]?.getBoundingClientRect();
    if (!box?.width || Math.abs(box.top - from.top) < 4) continue;
    if (Number.isNaN(line)) line = box.top;
    if (Math.abs(box.top - line) > 4) break;
    const distance = Math.abs((box.left + box.right) / 2 - middle);
    if (distance < nearest) [best, nearest] = [i, distance];
  }
  return best;
}

/** The place beside `at`, past elements that draw nothing. @param {ArrayLike<Element | undefined>} elements
 * @param {number} at @param {number} direction */
function beside(elements, at, direction) {
  let to = at + direction;
  while (elements[to] && !elements[to]?.textContent) to += direction;
  return elements[to] ? to : at;
}

/** The place that a key leads to from `at` (-1: no place yet), or null where it leads nowhere.
 * @param {ArrayLike<Element | undefined>} elements @param {number} at @param {KeyboardEvent} event */
export function arrowKeyTarget(elements, at, event) {
  if (event.altKey || event.ctrlKey || event.metaKey || !elements.length) return null;
  const first = elements[Math.max(0, at)];
  const forward = first && getComputedStyle(first).direction === "rtl" ? -1 : 1;
  /** @type {Record<string, () => number>} */
  const targets = {
    ArrowRight: () => beside(elements, at, forward),
    ArrowLeft: () => beside(elements, at, -forward),
    ArrowDown: () => onNextLine(elements, at, 1),
    ArrowUp: () => onNextLine(elements, at, -1),
    Home: () => 0,
    End: () => elements.length - 1,
  };
  if (!Object.hasOwn(targets, event.key)) return null;
  return at < 0 ? 0 : targets[event.key]();
}

/** Moves the only tab stop to another element. @param {HTMLElement | undefined} from @param {HTMLElement} to
 * @param {boolean} focus */
export function moveTabStop(from, to, focus) {
  if (from !== to) from?.removeAttribute("tabindex");
  to.tabIndex = 0;
  if (focus) to.focus();
}
