// Keys of the whole viewer, and the help that lists them. A view that uses a key itself gets it first.

/** Whether a field uses a key itself. @param {HTMLElement} target @param {string} key */
function takes(target, key) {
  if (target instanceof HTMLInputElement && target.type === "checkbox") return key === " ";
  if (target instanceof HTMLInputElement && target.type === "radio") return key === " " || key.startsWith("Arrow");
  return target.matches("input, select, textarea");
}

/** @param {import("./dom.js").Dom} dom
 * @param {Record<string, () => void>} keys what each does; "/" and "?" are added */
export function listenKeys(dom, keys) {
  const help = /** @type {HTMLDialogElement} */ (dom.part("help"));
  const search = /** @type {HTMLInputElement} */ (dom.part("search"));
  /** @type {Record<string, () => void>} */
  const all = {
    ...keys,
    "/": () => {
      search.focus();
      search.select();
    },
    "?": () => help.showModal(),
  };
  dom.root.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || help.open) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (takes(target, event.key)) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (!Object.hasOwn(all, event.key)) return;
    all[event.key]();
    event.preventDefault();
  });
  dom.part("help-open").addEventListener("click", () => help.showModal());
  dom.part("help-close").addEventListener("click", () => help.close());
  help.addEventListener("click", (event) => event.target === help && help.close());
}
