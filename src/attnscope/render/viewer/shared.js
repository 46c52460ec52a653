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
