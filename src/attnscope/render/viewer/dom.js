// The elements of one viewer, found under its root by their names, so that several viewers can stand on one page.

/** An element with a text and classes. @param {string} name @param {string} [content] @param {string} [classes] */
export function element(name, content = "", classes = "") {
  const created = document.createElement(name);
  if (content) created.textContent = content;
  if (classes) created.className = classes;
  return created;
}

/** A text of the reader's in an element that keeps its direction to itself. @param {string} content */
export const bdi = (content) => element("bdi", content);

/** Writes what has changed into an element that holds one text: whatever is written, the browser lays out again, and new
 * nodes more than a new text in the old one. @param {Element} holder @param {string} text */
export function setText(holder, text) {
  const node = holder.firstChild;
  if (!(node instanceof Text)) holder.textContent = text;
  else if (holder.childNodes.length > 1) holder.textContent = text;
  else if (node.data !== text) node.data = text;
}

/** Pieces of a sentence. Every second one is a text of the reader's. @typedef {string[]} Phrase */

/** A phrase as an element's content; each text of the reader's keeps its direction to itself.
 * @param {Element} holder @param {Phrase} phrase */
export function setPhrase(holder, phrase) {
  if (holder.children.length !== phrase.length || holder.childNodes.length !== phrase.length) {
    holder.replaceChildren(...phrase.map((_, i) => element(i % 2 ? "bdi" : "span")));
  }
  phrase.forEach((text, i) => setText(holder.children[i], text));
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

/** The lowest number that no other viewer of the document has. */
function unusedNumber() {
  let number = 0;
  while (document.querySelector(`[data-viewer="${number}"]`)) number++;
  return number;
}

/** A viewer's root and what is under it: parts by their `data-part`, light and dark, colours, what is spoken. */
export class Dom {
  /** @type {Map<string, HTMLElement>} */
  #parts = new Map();
  /** @type {Map<string, string>} */
  #colours = new Map();
  #fonts = "";
  #systemDark = matchMedia("(prefers-color-scheme: dark)");

  /** @param {HTMLElement} root has the class `viewer` */
  constructor(root) {
    this.root = root;
    root.dataset.viewer ??= String(unusedNumber());
    /** What tells this viewer from others of the document, where a name is the whole document's. */
    this.id = `viewer${root.dataset.viewer}`;
    for (const radio of /** @type {HTMLInputElement[]} */ (this.all("input[type=radio]"))) radio.name = `${this.id}-${radio.name}`;
  }

  /** @param {string} name @returns {HTMLElement} */
  part(name) {
    let part = this.#parts.get(name);
    if (!part) {
      part = /** @type {HTMLElement | null} */ (this.root.querySelector(`[data-part="${name}"]`)) ?? undefined;
      if (!part) throw new Error(`this viewer has no part "${name}"`);
      this.#parts.set(name, part);
    }
    return part;
  }

  /** @param {string} selector @returns {HTMLElement[]} */
  all(selector) {
    return [...this.root.querySelectorAll(selector)].filter((found) => found instanceof HTMLElement);
  }

  /** @param {string} theme "light", "dark" or "" for the reader's system */
  setTheme(theme) {
    if (theme) this.root.dataset.theme = theme;
  }

  isDark() {
    const { theme } = this.root.dataset;
    return theme ? theme === "dark" : this.#systemDark.matches;
  }

  /** @param {() => void} heard */
  onSystemTheme(heard) {
    this.#systemDark.addEventListener("change", heard);
  }

  /** A colour of the page, as canvas and SVG take it. Kept: to ask for it makes the browser lay out the page.
   * @param {string} name such as "--ink" @param {string} [classes] of the element that has it */
  colour(name, classes = "") {
    const key = `${name} ${classes} ${this.isDark()}`;
    let colour = this.#colours.get(key);
    if (!colour) {
      const probe = this.part("probe");
      probe.className = classes;
      probe.style.color = `var(${name})`;
      colour = getComputedStyle(probe).color;
      this.#colours.set(key, colour);
    }
    return colour;
  }

  /** The fonts of the viewer, for canvas. */
  fonts() {
    return (this.#fonts ||= getComputedStyle(this.root).fontFamily);
  }

  /** What a screen reader says next. @param {string} words */
  say(words) {
    setText(this.part("live"), words);
  }
}
