/* From disk a browser starts no worker, and the search runs in one: there, a hidden frame does the worker's work. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const url = new URL(address, location.href);
      this.waiting = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.documentElement.append(frame);
      const inside = frame.contentWindow;
      inside.postMessage = (data) => this.tell(data); // the worker's script answers by this name
      inside.__search = window.__search;
      inside.importScripts = (...urls) => urls.reduce((before, one) => before.then(() => load(one)), Promise.resolve());
      const load = (address) =>
        new Promise((done, failed) => {
          const script = inside.document.createElement("script");
          script.src = String(new URL(address, url));
          script.onload = done;
          script.onerror = failed;
          inside.document.documentElement.append(script);
        });
      load(url).then(() => {
        this.ready = (data) => inside.dispatchEvent(new inside.MessageEvent("message", { data }));
        this.waiting.forEach(this.ready);
      });
    }
    postMessage(data) {
      if (this.ready) this.ready(data);
      else this.waiting.push(data);
    }
    tell(data) {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      this.onmessage?.(event);
    }
    terminate() {}
  };
}
