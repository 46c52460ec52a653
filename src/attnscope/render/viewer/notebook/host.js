// The page as a frame of another one, such as a notebook, that says whether it is light or dark (`cell.js`): this page is
// the same then, and tells how high it is. To a page that says nothing, nothing is told.

/** Listens to the page around this one. @param {HTMLElement} root gets `data-host`, "light" or "dark" */
export function listen(root) {
  if (parent === window) return;
  const tell = () => parent.postMessage({ height: document.body.offsetHeight }, "*");
  addEventListener("message", ({ source, data }) => {
    if (source !== parent || !["light", "dark"].includes(data?.host)) return;
    const first = !root.dataset.host;
    root.dataset.host = data.host;
    dispatchEvent(new Event("host"));
    if (!first) return;
    new ResizeObserver(tell).observe(document.body);
    tell(); // browsers do not observe in a frame that is out of sight
  });
}
