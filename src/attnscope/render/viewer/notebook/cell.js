// A result's frame in a notebook's cell: the page in it is told whether the notebook is light or dark, and takes the height
// that it needs. The frame runs this when it has loaded; it is one function that needs nothing around it.

/** @param {HTMLIFrameElement} frame @param {number} [tallest] in pixels */
export function follow(frame, tallest = 900) {
  // A notebook that moves a cell loads its frame again.
  frame.dispatchEvent(new Event("again"));
  const life = new AbortController();
  const { signal } = life;
  const system = matchMedia("(prefers-color-scheme: dark)");

  /** Jupyter, VS Code, Colab and marimo name it; elsewhere letters are light where the page is dark. */
  function isDark() {
    const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
    if (jpThemeLight) return jpThemeLight === "false";
    if (vscodeThemeKind) return !vscodeThemeKind.includes("light");
    if ([frame, document.body].some((node) => node.closest(".dark, .dark-theme, [theme=dark]"))) return true;
    const pen = document.createElement("canvas").getContext("2d");
    if (!pen) return system.matches;
    pen.fillStyle = getComputedStyle(frame.parentElement ?? document.body).color;
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
    return 0.3 * red + 0.6 * green + 0.1 * blue > 128;
  }

  function tell() {
    if (frame.isConnected) frame.contentWindow?.postMessage({ host: isDark() ? "dark" : "light" }, "*");
    else life.abort();
  }
  const watch = new MutationObserver(() => {
    tell();
    setTimeout(tell, 400); // colours may change slowly
  });

  signal.addEventListener("abort", () => watch.disconnect());
  frame.addEventListener("again", () => life.abort(), { signal });
  system.addEventListener("change", tell, { signal });
  // In a handler, the bare name is the frame's own.
  window.addEventListener(
    "message",
    ({ source, data }) => {
      if (source !== frame.contentWindow || !(data?.height > 0)) return;
      frame.style.height = `${Math.min(Math.ceil(data.height), tallest)}px`;
    },
    { signal },
  );
  for (const node of [document.documentElement, document.body]) watch.observe(node, { attributes: true });
  tell();
}
