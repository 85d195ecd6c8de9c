/** The live event log: newest first, bounded, filtered by type at the server and by text here. Text only. */

import { VectraClient } from "/shared/vectra-client.js";

const KEPT = 2000; // events for search and export
const SHOWN = 200; // rows
const byId = (id) => document.getElementById(id);
const kept = [];
let frozen = null; // what is shown while paused
let stale = true;

function cell(text, className = "") {
  const made = document.createElement("td");
  made.textContent = text;
  made.className = className;
  return made;
}

function row(event) {
  const made = document.createElement("tr");
  const data = document.createElement("td");
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const text = JSON.stringify(event.data ?? event);
  summary.textContent = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  details.append(summary);
  details.addEventListener("toggle", () => {
    if (details.open) pause(true); // or the next event would close it again
    if (details.childElementCount > 1) return;
    const full = document.createElement("pre");
    full.textContent = JSON.stringify(event, null, 2);
    details.append(full);
  });
  data.append(details);
  const time = event.ts ? new Date(event.ts).toISOString().slice(11, 23) : "–";
  made.append(cell(event.seq ?? event.from, "number"), cell(time), cell(event.type), data);
  return made;
}

const wanted = () => byId("types").value.split(/[\s,]+/).filter(Boolean);
const matching = () => (frozen ?? kept).filter((event) => JSON.stringify(event).includes(byId("search").value));

function draw() {
  if (stale) {
    stale = false;
    byId("rows").replaceChildren(...matching().slice(-SHOWN).reverse().map(row));
    byId("count").textContent = kept.length ? `${kept.length} kept here` : "Events appear here as they come.";
  }
  requestAnimationFrame(draw);
}

function keep(event) {
  kept.push(event);
  if (kept.length > KEPT) kept.splice(0, kept.length - KEPT);
  stale ||= !frozen;
}

function pause(on) {
  if (on === Boolean(frozen)) return;
  frozen = on ? [...kept] : null;
  stale = !on;
  byId("pause").setAttribute("aria-pressed", String(on));
  byId("pause").textContent = on ? "Go on" : "Pause";
}

function exportLines() {
  const lines = matching().map((event) => JSON.stringify(event)).join("\n");
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(new Blob([`${lines}\n`], { type: "application/x-ndjson" }));
  anchor.download = "vectra-events.jsonl";
  anchor.click();
  URL.revokeObjectURL(anchor.href);
}

const { endpoints } = await (await fetch("/status.json")).json();
const feed = new URL(endpoints.feed);
feed.hostname = location.hostname;
const client = new VectraClient(feed.href, { heal: false }); // what is shown is the present
client.onEvent = keep;
client.onHole = (hole) => keep({ type: "dropped", ...hole });
client.onState = (state) => {
  byId("state").textContent = { connecting: "connecting …", open: "live", closed: "not connected; trying again" }[state];
  byId("state").className = state === "open" ? "good" : "bad";
};
byId("controls").addEventListener("submit", (event) => event.preventDefault());
byId("types").addEventListener("change", () => client.subscribe(wanted().length ? wanted() : null));
byId("search").addEventListener("input", () => (stale = true));
byId("export").addEventListener("click", exportLines);
byId("pause").addEventListener("click", () => pause(!frozen));
client.start();
draw();
