// The document of every page: its elements, light and dark, what is spoken, files for the reader.

/** @param {string} id @returns {HTMLElement} */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** An element with a text and classes. @param {string} name @param {string} [content] @param {string} [classes] */
export function element(name, content = "", classes = "") {
  const made = document.createElement(name);
  if (content) made.textContent = content;
  if (classes) made.className = classes;
  return made;
}

/** Writes what has changed into an element that holds one text: whatever is written, the browser lays out again, and new
 * nodes more than a new text in the old one. @param {Element} element @param {string} text */
export function put(element, text) {
  const node = element.firstChild;
  if (!(node instanceof Text)) element.textContent = text;
  else if (node.data !== text) node.data = text;
}

/** A text of the reader's in an element that keeps its direction to itself. @param {string} content */
export const own = (content) => element("bdi", content);

const system = matchMedia("(prefers-color-scheme: dark)");

/** @param {string} theme "light", "dark" or "" for the reader's system */
export function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}

export function isDark() {
  const theme = document.documentElement.dataset.theme;
  return theme ? theme === "dark" : system.matches;
}

/** @param {() => void} heard */
export const onSystemTheme = (heard) => system.addEventListener("change", heard);

/** @type {Map<string, string>} */
const known = new Map();

/** A colour of the page, as canvas and SVG take it. Kept: to ask for it makes the browser lay out the page.
 * @param {string} name such as "--ink" @param {string} [classes] of the element that has it */
export function colourOf(name, classes = "") {
  const key = `${name} ${classes} ${isDark()}`;
  let found = known.get(key);
  if (!found) {
    const probe = byId("probe");
    probe.className = classes;
    probe.style.color = `var(${name})`;
    found = getComputedStyle(probe).color;
    known.set(key, found);
  }
  return found;
}

let family = "";
/** The fonts of the page, for canvas. */
export const fonts = () => (family ||= getComputedStyle(document.body).fontFamily);

/** What a screen reader says next. @param {string} words */
export function say(words) {
  const live = byId("live");
  if (live.textContent !== words) live.textContent = words;
}

/** Hands a file to the reader. @param {string} name @param {Blob} blob */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
