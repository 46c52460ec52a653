// The elements of one viewer, found under its root by their names, so that a page can hold several viewers.

/** An element with a text and classes. @param {string} name @param {string} [content] @param {string} [classes] */
export function element(name, content = "", classes = "") {
  const created = document.createElement(name);
  if (content) created.textContent = content;
  if (classes) created.className = classes;
  return created;
}

/** One of the user's texts in an element that isolates its direction. @param {string} content */
export const bdi = (content) => element("bdi", content);

/** Sets the text of an element, only if it changed: the browser lays out whatever is written, and new nodes cost more
 * than a new text in the old one. @param {Element} holder @param {string} text */
export function setText(holder, text) {
  const node = holder.firstChild;
  if (!(node instanceof Text)) holder.textContent = text;
  else if (holder.childNodes.length > 1) holder.textContent = text;
  else if (node.data !== text) node.data = text;
}

/** Pieces of a sentence; every second one is one of the user's texts. @typedef {string[]} Phrase */

/** Sets a phrase as an element's content; the direction of each of the user's texts is isolated.
 * @param {Element} holder @param {Phrase} phrase */
export function setPhrase(holder, phrase) {
  if (holder.children.length !== phrase.length || holder.childNodes.length !== phrase.length) {
    holder.replaceChildren(...phrase.map((_, i) => element(i % 2 ? "bdi" : "span")));
  }
  phrase.forEach((text, i) => setText(holder.children[i], text));
}

/** Downloads a file. @param {string} name @param {Blob} blob */
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

/** A viewer's root and what is under it: parts by their `data-part`, light and dark, colours, announcements. */
export class Dom {
  /** @type {Map<string, HTMLElement>} */
  #parts = new Map();
  /** @type {Map<string, string>} */
  #colours = new Map();
  #fonts = "";
  #life = new AbortController();
  #systemDark = matchMedia("(prefers-color-scheme: dark)");

  /** @param {HTMLElement} root has the class `viewer` */
  constructor(root) {
    this.root = root;
    root.dataset.viewer ??= String(unusedNumber());
    root.addEventListener("leave", () => this.#life.abort(), { once: true });
    /** Tells this viewer from others of the document, for names that are shared by the whole document. */
    this.id = `viewer${root.dataset.viewer}`;
    for (const radio of /** @type {HTMLInputElement[]} */ (this.all("input[type=radio]")))
      radio.name = `${this.id}-${radio.name}`;
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
    return [...this.root.querySelectorAll(selector)].filter((node) => node instanceof HTMLElement);
  }

  /** @param {string} theme "light", "dark" or "" for the reader's system */
  setTheme(theme) {
    if (theme) this.root.dataset.theme = theme;
  }

  isDark() {
    const themed = /** @type {HTMLElement | null} */ (this.root.closest("[data-theme]"));
    const theme = themed?.dataset.theme ?? document.documentElement.dataset.host;
    return theme ? theme === "dark" : this.#systemDark.matches;
  }

  /** @param {() => void} heard */
  onSystemTheme(heard) {
    this.#systemDark.addEventListener("change", heard, { signal: this.#life.signal });
    addEventListener("host", heard, { signal: this.#life.signal });
  }

  /** Listens to the window until the viewer is taken off the page, which the event "leave" tells its root.
   * @param {"scroll" | "resize" | "message" | "keydown" | "host"} event @param {(event: any) => void} heard */
  onWindow(event, heard) {
    addEventListener(event, heard, { passive: true, signal: this.#life.signal });
  }

  /** A colour of the page, as canvas and SVG take it. Cached, because reading it makes the browser lay out the page.
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

  /** Announces something to screen readers. @param {string} words */
  say(words) {
    setText(this.part("live"), words);
  }
}
