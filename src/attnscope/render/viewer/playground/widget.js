// The widget of a notebook's cell: a frame with the playground's page, and messages between it and Python.

import { follow } from "../notebook/cell.js";

/** @param {{model: any, el: HTMLElement}} cell as anywidget gives it */
export function render({ model, el }) {
  const height = Number(model.get("height"));
  const frame = document.createElement("iframe");
  frame.title = "attnscope";
  frame.setAttribute("sandbox", "allow-scripts allow-downloads");
  frame.style.cssText = `border:0;border-radius:8px;width:100%;min-height:${height}px`;
  const page = URL.createObjectURL(new Blob([model.get("page")], { type: "text/html" }));
  frame.src = page;
  // Until it knows whether the notebook is light or dark.
  frame.style.visibility = "hidden";
  frame.addEventListener("load", () => {
    follow(frame, height);
    frame.style.visibility = "";
  });
  // A view may stand in several cells, which all hear what Python tells: each knows its own answers.
  const own = String(Math.random());
  /** @param {MessageEvent} event */
  const fromPage = ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (typeof data.fragment === "string") {
      model.set("fragment", data.fragment);
      model.save_changes();
    } else if (data.id) model.send({ ...data, id: `${own}/${data.id}` });
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
  el.append(frame);
  return () => {
    URL.revokeObjectURL(page);
    removeEventListener("message", fromPage);
    model.off("msg:custom", answered);
    model.off("change:fragment", moved);
  };
}
