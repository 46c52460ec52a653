// Binds controls to the state: data-state names the part of the state that a control is for.

/** @typedef {import("./url_state.js").Values} Values */

/**
 * @template {Values} S
 * @param {import("./dom.js").Dom} dom
 * @param {import("./url_state.js").Store<S>} store
 * @param {(key: keyof S & string) => Partial<S>} [also] other parts of the state that change along with a key
 */
export function bindForm(dom, { state, update, onChange }, also = () => ({})) {
  const fields = /** @type {(HTMLInputElement | HTMLSelectElement)[]} */ (dom.all("[data-state]"));
  const reflect = () => {
    for (const field of fields) {
      const value = state[field.dataset.state ?? ""];
      if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio")) {
        field.checked = field.type === "radio" ? field.value === String(value) : Boolean(value);
      } else if (field.value !== String(value)) field.value = String(value);
    }
  };
  for (const field of fields) {
    const key = /** @type {keyof S & string} */ (field.dataset.state);
    field.addEventListener(field.type === "range" || field.type === "search" ? "input" : "change", () => {
      /** @type {string | number | boolean} */
      let value = field.value;
      if (field instanceof HTMLInputElement && field.type === "checkbox") value = field.checked;
      else if (typeof state[key] === "number") value = Number(value);
      update(/** @type {Partial<S>} */ ({ [key]: value, ...also(key) }));
    });
  }
  onChange(reflect);
  reflect();
}
