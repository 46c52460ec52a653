// The widget of a notebook's cell: a frame with the playground's page, and messages between it and Python.

/** Whether the notebook is light or dark, whichever it is: by the colour of its text. */
function themeAround() {
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  if (!pen) return "";
  pen.fillStyle = getComputedStyle(document.body).color;
  pen.fillRect(0, 0, 1, 1);
  const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
  return red + green + blue > (3 * 255) / 2 ? "dark" : "light";
}

/** @param {{model: any, el: HTMLElement}} cell as anywidget gives it */
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.title = "attnscope";
  frame.setAttribute("sandbox", "allow-scripts allow-downloads");
  frame.style.cssText = `border:0;border-radius:8px;width:100%;height:${Number(model.get("height"))}px`;
  const page = URL.createObjectURL(new Blob([model.get("page")], { type: "text/html" }));
  frame.src = `${page}#${themeAround()}`;
  // A view may stand in several cells, which all hear what Python tells: each knows its own answers.
  const own = String(Math.random());
  /** @param {MessageEvent} event */
  const fromPage = ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (typeof data.fragment === "string") {
      model.set("fragment", data.fragment);
      model.save_changes();
    } else model.send({ ...data, id: `${own}/${data.id}` });
  };
  /** @param {any} message */
  const toPage = (message) => frame.contentWindow?.postMessage(message, "*");
  /** @param {any} message */
  const answered = (message) => {
    const [cell, id] = String(message.id).split("/");
    if (cell === own) toPage({ ...message, id: Number(id) });
  };
  const moved = () => toPage({ fragment: model.get("fragment") });
  addEventListener("message", fromPage);
  model.on("msg:custom", answered);
  model.on("change:fragment", moved);
  // Notebooks change their theme by a class or an attribute of the whole page.
  const turned = new MutationObserver(() => toPage({ theme: themeAround() }));
  for (const page of [document.documentElement, document.body]) turned.observe(page, { attributes: true });
  el.append(frame);
  return () => {
    URL.revokeObjectURL(page);
    turned.disconnect();
    removeEventListener("message", fromPage);
    model.off("msg:custom", answered);
    model.off("change:fragment", moved);
  };
}

export default { render };
