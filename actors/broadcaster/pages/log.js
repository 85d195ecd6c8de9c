/** The live event log: newest first, bounded, filtered by type at the server and by text here. Text only. */

import { VectraClient } from "/shared/vectra-client.js";

const KEPT = 2000; // events for search and export
const SHOWN = 200; // rows
const REDRAW_MS = 200; // faster than that nobody reads
const SUMMARY = 300; // characters; the page cuts where its line ends
const byId = (id) => document.getElementById(id);
const kept = []; // {event, text}
const types = new Set();
let frozen = null; // what is shown while paused
let stale = true;
let drawnAt = 0;

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function cell(content, className = "") {
  const made = element("td", "", className);
  made.append(content);
  return made;
}

const two = (value, digits = 2) => String(value).padStart(digits, "0");

function timeOf(event) {
  if (!event.ts) return "–";
  const at = new Date(event.ts);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
}

function typeButton(type) {
  const made = element("button", type, `type ${type}`);
  made.type = "button";
  made.title = `Show only ${type}`;
  made.addEventListener("click", () => {
    byId("types").value = type;
    byId("types").focus();
    pause(false);
    filter();
  });
  return made;
}

function row({ event }) {
  const made = document.createElement("tr");
  const details = document.createElement("details");
  details.append(element("summary", JSON.stringify(event.data ?? event).slice(0, SUMMARY)));
  details.addEventListener("toggle", () => {
    if (details.childElementCount === 1) details.append(element("pre", JSON.stringify(event, null, 2)));
  });
  made.append(
    cell(String(event.seq ?? event.from), "number"), cell(timeOf(event), "time"), cell(typeButton(event.type)), cell(details),
  );
  return made;
}

const wanted = () => byId("types").value.split(/[\s,]+/).filter(Boolean);

function matching() {
  const words = byId("search").value.toLowerCase();
  const all = frozen ?? kept;
  return words ? all.filter((one) => (one.text ??= JSON.stringify(one.event).toLowerCase()).includes(words)) : all;
}

function draw(now) {
  requestAnimationFrame(draw);
  if (!stale || now - drawnAt < REDRAW_MS) return;
  [stale, drawnAt] = [false, now];
  const found = matching();
  byId("rows").replaceChildren(...found.slice(-SHOWN).reverse().map(row));
  byId("empty").hidden = found.length > 0;
  byId("empty").textContent = kept.length
    ? "No event kept here matches. Other types can be asked for above; leave the field empty for all."
    : "Events appear here as they come, the newest first. A click on one shows all of it.";
  byId("count").textContent = kept.length ? `${Math.min(SHOWN, found.length)} shown of ${kept.length} kept` : "";
}

function keep(event) {
  kept.push({ event, text: null });
  if (kept.length > KEPT) kept.splice(0, kept.length - KEPT);
  stale ||= !frozen;
  if (types.has(event.type)) return;
  types.add(event.type);
  byId("known-types").append(Object.assign(document.createElement("option"), { value: event.type }));
}

function pause(on) {
  if (on === Boolean(frozen)) return;
  frozen = on ? [...kept] : null;
  stale = !on;
  byId("pause").setAttribute("aria-pressed", String(on));
  byId("pause").textContent = on ? "Go on" : "Pause";
}

function exportLines() {
  const lines = matching().map(({ event }) => JSON.stringify(event)).join("\n");
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
const filter = () => client.subscribe(wanted().length ? wanted() : null);
byId("controls").addEventListener("submit", (event) => event.preventDefault());
byId("types").addEventListener("change", filter);
byId("search").addEventListener("input", () => {
  [stale, drawnAt] = [true, 0];
});
byId("rows").addEventListener("focusin", () => pause(true)); // or the next event would take it away
byId("export").addEventListener("click", exportLines);
byId("pause").addEventListener("click", () => pause(!frozen));
client.start();
requestAnimationFrame(draw);
