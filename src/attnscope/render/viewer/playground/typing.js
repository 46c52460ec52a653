// A text while it is typed: every change is told once the fingers rest for a moment, and none inside an input method.

/** Milliseconds: shorter than between two keys of a fast typist, and not felt. */
const REST = 40;

/** @param {HTMLInputElement | HTMLTextAreaElement} field @param {(text: string) => void} changed */
export function listenTyping(field, changed) {
  let [timer, composing, told] = [0, false, field.value];
  const tell = () => {
    clearTimeout(timer);
    if (composing || field.value === told) return;
    told = field.value;
    changed(told);
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(tell, REST);
  };
  field.addEventListener("compositionstart", () => (composing = true));
  field.addEventListener("compositionend", () => {
    composing = false;
    soon();
  });
  field.addEventListener("input", (event) => {
    if (!(/** @type {InputEvent} */ (event).isComposing)) soon();
  });
  field.addEventListener("change", tell);
  return {
    /** Shows a text that came from elsewhere. @param {string} text */
    show(text) {
      if (composing || field.value === text) return;
      field.value = told = text;
    },
  };
}
