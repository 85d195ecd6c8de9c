// The actors as a picture: boxes in the order of the data's flow, arrows with what flows along them each second.

import { bytes, fixed, whole } from "./format.js";
import { actorLook } from "./lists.js";
import { doc } from "./link.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 112;
const HEIGHT = 34;
const BEND = 44; // an arrow between two heights is bent within so much of its beginning or its end
const BOXES = {
  simulator: [0, 108], browser: [152, 108], pilot: [152, 202], "capture-a": [372, 50], "capture-b": [372, 166], journal: [592, 108],
  normalizer: [782, 108], writer: [1010, 14], state: [1010, 108], broadcaster: [1010, 202], web: [1200, 108],
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
const SPREADS = new Set(["browser", "normalizer"]);
const NOTES = {
  journal: () => (typeof rate("journal", "bytes") === "number" ? `${bytes(rate("journal", "bytes"))}/s to disk` : ""),
  writer: () => (typeof rate("writer", "bytes_written") === "number" ? `${bytes(rate("writer", "bytes_written"))}/s Parquet` : ""),
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
  const label = (x, y, anchor) => part("text", { class: "tree-rate", "data-arrow": index, x, y, "text-anchor": anchor }, "");
  const path = (d) => part("path", { d, class: "tree-arrow", "marker-end": "url(#arrow)" });
  if (ax === bx) return [path(`M${ax + WIDTH / 2} ${ay}V${by + HEIGHT}`), label(ax + WIDTH / 2 - 8, (ay + by + HEIGHT) / 2 + 4, "end")];
  const [x1, y1, x2, y2] = [ax + WIDTH, ay + HEIGHT / 2, bx, by + HEIGHT / 2];
  if (y1 === y2) return [path(`M${x1} ${y1}H${x2}`), label((x1 + x2) / 2 - 3, y1 - 7, "middle")];
  const leaving = SPREADS.has(from); // bent where it leaves, straight where the rate stands
  const [c1, c2] = leaving ? [x1, x1 + BEND] : [x2 - BEND, x2];
  const curve = `C${(c1 + c2) / 2} ${y1} ${(c1 + c2) / 2} ${y2} ${c2} ${y2}`;
  const middle = leaving ? (c2 + x2) / 2 - 3 : (x1 + c1) / 2;
  return [path(`M${x1} ${y1}H${c1}${curve}H${x2}`), label(middle, (leaving ? y2 : y1) - 7, "middle")];
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
