// The widget of a notebook's cell: a frame with the playground's page, and messages between it and Python.

/** @param {{model: any, el: HTMLElement}} cell as anywidget gives it */
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.title = "attnscope";
  frame.setAttribute("sandbox", "allow-scripts allow-downloads");
  frame.style.cssText = `border:0;border-radius:8px;width:100%;height:${Number(model.get("height"))}px`;
  frame.src = URL.createObjectURL(new Blob([model.get("page")], { type: "text/html" }));
  /** @param {MessageEvent} event */
  const fromPage = ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (typeof data.fragment === "string") {
      model.set("fragment", data.fragment);
      model.save_changes();
    } else model.send(data);
  };
  /** @param {any} message */
  const toPage = (message) => frame.contentWindow?.postMessage(message, "*");
  const moved = () => toPage({ fragment: model.get("fragment") });
  addEventListener("message", fromPage);
  model.on("msg:custom", toPage);
  model.on("change:fragment", moved);
  el.append(frame);
  return () => {
    removeEventListener("message", fromPage);
    model.off("msg:custom", toPage);
    model.off("change:fragment", moved);
  };
}

export default { render };
