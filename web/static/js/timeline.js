// The last 24 hours as a line: when the recording was on, and what was not seen. An SVG made of rects, redrawn whole;
// a gap is at least 2 pixels wide, so that a second in a day can be seen.

import { seconds, timeOfDay } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 34;
const LABELS = 18;

function part(name, attributes, words) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (words !== undefined) element.textContent = words;
  return element;
}

export function drawTimeline(svg, { since, until, spans, gaps }) {
  const width = svg.clientWidth || 600;
  const x = (at) => ((at - since) / (until - since)) * width;
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT + LABELS}`);
  const parts = [];
  for (const span of spans) {
    const left = x(span.since);
    parts.push(part("rect", { class: `span ${span.kind}`, x: left, y: 0, width: Math.max(1, x(span.until) - left), height: HEIGHT }));
  }
  for (const gap of gaps) {
    const end = gap.until ?? until;
    const left = Math.max(0, Math.min(width - 2, x(gap.since)));
    const mark = part("rect", { class: "span gap", x: left, y: 0, width: Math.max(2, x(end) - left), height: HEIGHT });
    mark.append(part("title", {}, `${timeOfDay(gap.since)}, ${seconds(gap.seconds)}: ${gap.cause}`));
    parts.push(mark);
  }
  svg.replaceChildren(...parts, ...hours(since, until, x, width));
}

function hours(since, until, x, width) {
  const step = width < 480 ? 6 : width < 900 ? 3 : 2;
  const made = [];
  const first = new Date(since);
  first.setMinutes(0, 0, 0);
  for (let at = first.getTime() + 3_600_000; at < until; at += 3_600_000) {
    const hour = new Date(at).getHours();
    if (hour % step) continue;
    const place = x(at);
    made.push(part("line", { class: "hour", x1: place, x2: place, y1: HEIGHT, y2: HEIGHT + 4 }));
    if (place > 18 && place < width - 18) {
      made.push(part("text", { class: "hour", x: place, y: HEIGHT + 15, "text-anchor": "middle" }, `${String(hour).padStart(2, "0")}:00`));
    }
  }
  return made;
}
