// The state of a page as an object that fits into the URL's fragment: every view is a function of it.

/** @typedef {Record<string, string | number | boolean>} Values */
/**
 * @template {Values} S
 * @typedef {{state: S, update: (patch: Partial<S>) => void, onChange: (heard: (before: S) => void) => void}} Store
 * state: changed in place, so that everyone who holds it sees the current one.
 */
/**
 * @typedef {{read: () => string, write: (fragment: string) => void, onChange: (heard: () => void) => void}} Address
 * Where the state of a page's main viewer is kept, so that a link to the page leads to what the user sees.
 */

/** The state of a fragment; unknown keys are ignored, and values that a key may not have are left as in `base`.
 * @template {Values} S @param {string} fragment @param {S} base @param {Record<string, string[]>} choices what a key
 * may be, where not every string is @returns {S} */
export function parse(fragment, base, choices) {
  /** @type {Values} */
  const state = { ...base };
  for (const [key, value] of new URLSearchParams(fragment.replace(/^#/, ""))) {
    const before = Object.hasOwn(base, key) ? base[key] : undefined;
    if (typeof before === "number") {
      if (value.trim() !== "" && Number.isFinite(Number(value))) state[key] = Number(value);
    } else if (typeof before === "boolean") state[key] = value === "1";
    else if (typeof before === "string" && (choices[key]?.includes(value) ?? true)) state[key] = value;
  }
  return /** @type {S} */ (state);
}

/** The fragment of a state: only what differs from `base`. @template {Values} S @param {S} state @param {S} base */
export function write(state, base) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) {
    if (value !== base[key]) query.set(key, typeof value === "boolean" ? (value ? "1" : "0") : String(value));
  }
  return query.toString();
}

/** The fragment of the page's URL. @returns {Address} */
export const pageAddress = () => ({
  read: () => location.hash,
  write(fragment) {
    try {
      history.replaceState(null, "", `#${fragment}`);
    } catch {
      // a notebook's frame has no address of its own
    }
  },
  onChange: (heard) => addEventListener("hashchange", heard),
});

/**
 * The state of a viewer, and the listeners to its changes.
 * @template {Values} S
 * @param {S} base what the viewer shows before anything is chosen
 * @param {Record<string, string[]>} choices what a key may be, where not every string is
 * @param {Address | null} address null for a viewer that is not its page's main one
 * @param {(state: S) => S} [within] corrects a state that a link may not ask for
 * @returns {Store<S>}
 */
export function createStore(base, choices, address, within = (state) => state) {
  const read = () => within(parse(address?.read() ?? "", base, choices));
  const state = read();
  /** @type {((before: S) => void)[]} */
  const listeners = [];
  let writing = 0;
  /** @param {Partial<S>} patch */
  const change = (patch) => {
    const before = { ...state };
    Object.assign(state, patch);
    for (const heard of listeners) heard(before);
  };
  address?.onChange(() => change(read()));
  return {
    state,
    onChange: (heard) => void listeners.push(heard),
    update(patch) {
      clearTimeout(writing);
      if (address) writing = setTimeout(() => address.write(write(state, base)), 120);
      change(patch);
    },
  };
}
