// What pages share: their elements, and the buttons at the top.

/** @param {string} id @returns {HTMLElement} */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** The buttons at the top work, and what needs a script is shown. @param {string} file what a download is called */
export function ready(file) {
  byId("theme").addEventListener("click", () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const now = document.documentElement.dataset.theme ?? system;
    document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  });
  byId("download").addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([byId("data").textContent ?? ""], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = file;
    link.click();
    URL.revokeObjectURL(url);
  });
  for (const hidden of document.querySelectorAll(".controls, .hint")) /** @type {HTMLElement} */ (hidden).hidden = false;
}

/** Shows the tip above an element, or below where there is no room. @param {HTMLElement} tip @param {Element} target */
export function showTip(tip, target) {
  tip.hidden = false;
  const box = target.getClientRects()[0] ?? target.getBoundingClientRect();
  const own = tip.getBoundingClientRect();
  const above = box.top - own.height - 8;
  tip.style.top = `${above > 4 ? above : box.bottom + 8}px`;
  tip.style.left = `${Math.max(8, Math.min(box.left, document.documentElement.clientWidth - own.width - 8))}px`;
}
