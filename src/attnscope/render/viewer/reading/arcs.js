// Arcs over a text, from word to word, for pairs that do more or less together than each alone. The notes below the text
// say the same in words and numbers.

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {HTMLElement} holder the text's element; arcs lie over it, in an element of their own
 * @param {{from: HTMLElement, to: HTMLElement, value: number}[]} pairs
 */
export function drawArcs(holder, pairs) {
  holder.querySelector(".arcs")?.remove();
  holder.classList.toggle("arched", pairs.length > 0);
  if (!pairs.length) return;
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "arcs");
  drawing.setAttribute("aria-hidden", "true");
  const frame = holder.getBoundingClientRect();
  const most = Math.max(...pairs.map(({ value }) => Math.abs(value)));
  for (const { from, to, value } of pairs) {
    const [start, end] = [from, to].map((word) => {
      const { left, width, top } = word.getClientRects()[0];
      return { x: left + width / 2 - frame.left, y: top - frame.top };
    });
    const high = Math.min(start.y, end.y) - 16 - Math.min(14, Math.abs(end.x - start.x) / 20);
    const arc = document.createElementNS(SVG, "path");
    arc.setAttribute("d", `M${start.x} ${start.y}C${start.x} ${high} ${end.x} ${high} ${end.x} ${end.y}`);
    arc.setAttribute("class", value < 0 ? "less" : "more");
    arc.setAttribute("stroke-width", String(1 + (2 * Math.abs(value)) / most));
    drawing.append(arc);
  }
  holder.append(drawing);
}
