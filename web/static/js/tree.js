// The actors as a picture: boxes in the order of the data's flow, arrows with what flows along them each second.

import { bytes, fixed, whole } from "./format.js";
import { actorLook } from "./lists.js";
import { doc } from "./link.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 112;
const HEIGHT = 34;
const BOXES = {
  simulator: [0, 108], browser: [150, 108], pilot: [150, 200], "capture-a": [335, 50], "capture-b": [335, 166], journal: [490, 108],
  normalizer: [660, 108], writer: [845, 14], state: [845, 108], broadcaster: [845, 202], web: [1062, 108],
};
const rate = (name, key) => doc.vitals.now?.[name]?.rates?.[key];
const each = (value, words) => (typeof value === "number" ? `${fixed(value, value < 10 ? 1 : 0)} ${words}` : "–");
const counted = (value, word) => `${whole(value)} ${word}${value === 1 ? "" : "s"}`;
const frames = (name) => () => each(rate(name, "frames"), "/s");
const ARROWS = [
  ["simulator", "browser", () => ""],
  ["pilot", "browser", () => "opens, reloads"],
  ["browser", "capture-a", frames("capture-a")],
  ["browser", "capture-b", frames("capture-b")],
  ["capture-a", "journal", frames("capture-a")],
  ["capture-b", "journal", frames("capture-b")],
  ["journal", "normalizer", () => (typeof rate("journal", "seq") === "number" ? each(rate("journal", "seq") / 256, "/s") : "–")],
  ["normalizer", "writer", () => each(rate("normalizer", "rows"), "rows/s")],
  ["normalizer", "state", () => each(rate("normalizer", "events"), "/s")],
  ["normalizer", "broadcaster", () => each(rate("normalizer", "events"), "/s")],
  ["state", "web", () => each(doc.pulse.eventsPerS, "/s")],
];
const NOTES = {
  journal: () => (typeof rate("journal", "bytes") === "number" ? `${bytes(rate("journal", "bytes"))}/s to disk` : ""),
  writer: () => (typeof rate("writer", "bytes_written") === "number" ? `${bytes(rate("writer", "bytes_written"))}/s to Parquet` : ""),
  broadcaster: () => `${counted(doc.vitals.now?.broadcaster?.gauges?.clients, "client")}, ${each(rate("broadcaster", "sent"), "/s")}`,
  web: () => `${counted(doc.vitals.now?.web?.gauges?.pages, "page")}, ${each(rate("web", "messages"), "/s")}`,
};

function part(name, attributes, words) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (words !== undefined) element.textContent = words;
  return element;
}

let drawn = "";

export function drawTree(svg) {
  const actors = new Map((doc.status.actors ?? []).map((actor) => [actor.name, actor.state]));
  const names = Object.keys(BOXES).filter((name) => actors.has(name));
  const now = JSON.stringify([...actors.entries()]);
  if (now !== drawn) {
    drawn = now;
    const arrows = ARROWS.filter(([from, to]) => actors.has(from) && actors.has(to));
    svg.replaceChildren(head(), ...arrows.flatMap(arrow), ...names.flatMap((name) => box(name, actors.get(name))));
  }
  for (const label of svg.querySelectorAll("[data-arrow]")) set(label, ARROWS[Number(label.dataset.arrow)][2]());
  for (const label of svg.querySelectorAll("[data-note]")) set(label, NOTES[label.dataset.note]());
}

function set(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function head() {
  const marker = part("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" });
  marker.append(part("path", { d: "M0 0 8 4 0 8z", class: "tree-head" }));
  const defs = part("defs", {});
  defs.append(marker);
  return defs;
}

function arrow([from, to]) {
  const index = ARROWS.findIndex(([a, b]) => a === from && b === to);
  const [ax, ay] = BOXES[from];
  const [bx, by] = BOXES[to];
  const upward = ax === bx;
  const x1 = upward ? ax + WIDTH / 2 : ax + WIDTH;
  const y1 = upward ? ay : ay + HEIGHT / 2;
  const x2 = upward ? bx + WIDTH / 2 : bx;
  const y2 = upward ? by + HEIGHT : by + HEIGHT / 2;
  const middle = (x1 + x2) / 2;
  const d = upward ? `M${x1} ${y1}V${y2}` : `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
  const above = y2 > y1 ? 16 : -6;
  return [
    part("path", { d, class: "tree-arrow", "marker-end": "url(#arrow)" }),
    part("text", { class: "tree-rate", "data-arrow": index, x: upward ? x1 - 8 : middle, y: (y1 + y2) / 2 + (upward ? 4 : y1 === y2 ? -6 : above), "text-anchor": upward ? "end" : "middle" }, ""),
  ];
}

function box(name, state) {
  const [x, y] = BOXES[name];
  const [look, word] = actorLook(state);
  const made = [
    part("rect", { class: `tree-box ${look}`, x, y, width: WIDTH, height: HEIGHT, rx: 7 }),
    part("text", { class: "tree-name", x: x + WIDTH / 2, y: y + (word ? 15 : 21), "text-anchor": "middle" }, name),
  ];
  if (word) made.push(part("text", { class: "tree-word", x: x + WIDTH / 2, y: y + 29, "text-anchor": "middle" }, word));
  if (NOTES[name]) made.push(part("text", { class: "tree-rate", "data-note": name, x: x + WIDTH / 2, y: y + HEIGHT + 15, "text-anchor": "middle" }, ""));
  return made;
}
