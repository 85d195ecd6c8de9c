// The Recording page: the switch and why it cannot, what comes in, the last 24 hours, sizes and forecast, exports.

import "./frame.js";
import "./switch.js";
import { ask, repeat } from "./api.js";
import { drawFlow } from "./flow.js";
import { DASH, bytes, clock, fixed, moment, seconds, span, timeOfDay, whole } from "./format.js";
import { begin, refresh, tell } from "./jobs.js";
import { doc, onChange, serverNow } from "./link.js";
import { classes, data, find, make, show, text } from "./page.js";
import { drawTimeline } from "./timeline.js";

const LOOK_S = 10;
const SHOWN_DAYS = 14;
let view = null;

function draw() {
  const { recording, journal, source, supervisor } = doc.status;
  const on = recording?.on === true;
  text(find("since"), on ? moment(recording.since) : recording?.on === false ? "off" : DASH);
  text(find("for"), on && typeof recording.since === "number" ? clock(serverNow() - recording.since) : DASH);
  text(find("seq"), whole(journal?.seq));
  text(find("source"), source ? (source.connected ? "connected" : "not connected") : DASH);
  classes(find("source"), source?.connected === false ? "down" : "");
  text(find("source-url"), source?.url ?? "");
  text(find("data-dir"), supervisor?.data_dir ?? "");
  const why = reason();
  show(find("switch-why"), why !== "");
  text(find("switch-why"), why);
}

/** Why the switch cannot be used, or why what it says is not the whole truth. */
function reason() {
  const { answered, recording, actors } = doc.status;
  if (answered === false) return "The supervisor does not answer, so the switch cannot be used. See the System page.";
  const state = (name) => actors?.find((actor) => actor.name === name)?.state;
  const journal = state("journal");
  if (actors && journal !== "ready") {
    return `The journal is ${journal ?? "not running"}, so the switch cannot be used until it is ready again.`;
  }
  if (recording && typeof recording.on !== "boolean") return "The journal has not said yet whether it records.";
  const writer = state("writer");
  if (recording?.on && actors && writer !== "ready") {
    return `The writer is ${writer ?? "not running"}: the journal keeps everything, and Parquet follows when it is back.`;
  }
  if (recording?.on && doc.status.workError) return `${doc.status.workError}.`;
  if (recording?.on && doc.status.source?.connected === false) return "It is on, but nothing comes: the game's socket is not connected.";
  return "";
}

function drawTypes() {
  const types = Object.entries(doc.rates.types ?? {}).sort((a, b) => b[1][2] - a[1][2]);
  show(find("types"), types.length > 0);
  show(find("types-empty"), types.length === 0);
  const body = find("types").tBodies[0];
  while (body.children.length > types.length) body.lastElementChild.remove();
  while (body.children.length < types.length) {
    const row = make("tr");
    row.append(make("td", "path"), make("td", "number"), make("td", "number"), make("td", "number"));
    body.append(row);
  }
  types.forEach(([name, [rate, size, total]], index) => {
    const cells = body.children[index].children;
    classes(body.children[index], rate === 0 ? "quiet" : "");
    text(cells[0], name);
    text(cells[1], fixed(rate, 1));
    text(cells[2], `${bytes(size)}/s`);
    text(cells[3], whole(total));
  });
}

const REPAIRS = {
  filled: ({ rounds, ticks }) => (ticks ? `all ticks of ${rounds} ${rounds === 1 ? "round" : "rounds"} (${whole(ticks)}) from the game's history` : "no tick was missed in it"),
  partly: ({ rounds, ticks, lost_s }) => `${rounds} ${rounds === 1 ? "round" : "rounds"} (${whole(ticks)} ticks) from the game's history; ${seconds(lost_s)} of it never`,
  pending: () => "waits for the game's history, which comes when the round ends",
  nothing: () => "nothing: no round of this time is known",
};
const SIGNS = { filled: "✓ ", partly: "◐ ", pending: "… ", nothing: "✗ " };

function drawGaps() {
  const body = find("gap-table").tBodies[0];
  const shown = JSON.stringify(view.gaps);
  show(find("gap-table"), view.gaps.length > 0);
  show(find("gap-empty"), view.gaps.length === 0);
  text(find("gap-empty"), "Everything the game sent in this time was seen, as far as the record goes back.");
  if (body.dataset.shown === shown) return;
  body.dataset.shown = shown;
  body.replaceChildren(...view.gaps.slice(0, 100).map(gapRow));
}

function gapRow(gap) {
  const row = make("tr");
  const cell = (label, className, words) => {
    const one = make("td", className, words);
    one.dataset.label = label;
    row.append(one);
  };
  cell("Not seen from", "number-left whole", moment(gap.since));
  cell("Until", "number-left", gap.until === null ? "still lost" : timeOfDay(gap.until));
  cell("Length", "number warn", seconds(gap.seconds));
  cell("Why", "whole", gap.cause);
  cell("What came back", `whole${gap.repair === "nothing" ? " warn" : ""}`, SIGNS[gap.repair] + REPAIRS[gap.repair](gap));
  return row;
}

function drawView() {
  drawTimeline(find("timeline"), view);
  drawGaps();
  const total = view.gaps.reduce((sum, gap) => sum + gap.seconds, 0);
  const count = view.gaps.length;
  text(find("gaps-sum"), count ? `${count} ${count === 1 ? "gap" : "gaps"}, ${seconds(total)} not seen. Ticks come back from the game's history; trades and account changes of that time do not.` : "no gap");
  drawRoom(view.forecast);
  drawDays(view.days);
}

function drawRoom(room) {
  text(find("parquet-bytes"), bytes(room.parquet_bytes));
  text(find("parquet-rate"), room.bytes_per_day === null ? DASH : `${bytes(room.bytes_per_day)} a day`);
  text(find("journal-bytes"), `${bytes(room.journal_bytes)} of ${bytes(room.journal_limit)}`);
  text(find("free-bytes"), bytes(room.free_bytes));
  const left = room.days_left;
  text(find("days-left"), left === null ? DASH : left >= 3650 ? "over 10 years" : left >= 730 ? `${Math.floor(left / 365)} years` : `${whole(left)} days`);
  classes(find("days-left"), left !== null && left < 14 ? "warn" : "");
  const from = room.bytes_per_day === null ? "The forecast needs a minute of data." : `Estimated from the last ${span(room.sample_s * 1000)}.`;
  text(find("room-words"), `${from} The journal keeps ${room.journal_days} days and never grows beyond its limit.`);
}

function drawDays(days) {
  show(find("days"), days.length > 0);
  show(find("days-empty"), days.length === 0);
  show(find("days-more"), days.length > SHOWN_DAYS);
  text(find("days-more"), `${days.length - SHOWN_DAYS} earlier days; type the date below to export one.`);
  const largest = Math.max(...days.map((day) => day.bytes), 1);
  const body = find("days").tBodies[0];
  const rows = new Map([...body.children].map((row) => [row.dataset.day, row]));
  body.replaceChildren(...days.slice(0, SHOWN_DAYS).map((day) => {
    const row = rows.get(day.date) ?? dayRow(day.date);
    const [, files, size, share] = row.children;
    text(files, whole(day.files));
    text(size, bytes(day.bytes));
    const bar = share.firstElementChild;
    bar.max = largest;
    bar.value = day.bytes;
    bar.title = day.kinds.map((kind) => `${kind.doc_type} ${bytes(kind.bytes)}`).join(", ");
    return row;
  }));
  const list = find("export-days");
  if (list.children.length !== days.length) list.replaceChildren(...days.map((day) => Object.assign(make("option"), { value: day.date })));
}

function dayRow(date) {
  const row = make("tr");
  row.dataset.day = date;
  const share = make("meter");
  share.setAttribute("aria-label", `Size of ${date} beside the largest day`);
  const cell = make("td", "share");
  cell.append(share);
  const action = make("td", "action");
  const button = make("button", "button", "Export …");
  button.type = "button";
  button.setAttribute("aria-label", `Export ${date}`);
  button.addEventListener("click", () => {
    find("export-what").value = date;
    find("export").scrollIntoView({ block: "center" });
    find("export-kind").focus();
  });
  action.append(button);
  row.append(make("td", "path", date), make("td", "number"), make("td", "number"), cell, action);
  return row;
}

find("export").addEventListener("submit", async (event) => {
  event.preventDefault();
  const what = find("export-what").value.trim();
  const kind = find("export-kind").value;
  const target = /^\d{4}-\d\d-\d\d$/.test(what) ? { day: what } : { game_id: what };
  if (target.game_id && !/^[\w-]+$/.test(what)) return tell("bad", "Give a day as 2025-12-15, or a round's id.");
  await begin({ kind: "export", format: find("export-format").value, doc_types: kind ? [kind] : [], ...target });
});
find("compact").addEventListener("click", () => begin({ kind: "compaction" }));
const wanted = new URLSearchParams(location.search).get("export");
if (wanted) find("export-what").value = wanted;

onChange((changed) => {
  if (changed.has("status") || changed.has("link")) draw();
  if (changed.has("status") || changed.has("pulse")) drawFlow();
  if (changed.has("rates")) drawTypes();
});
setInterval(draw, 1000);
repeat(async () => {
  view = await ask("/api/recording?hours=24");
  drawView();
}, LOOK_S);
refresh();
new ResizeObserver(() => view && drawTimeline(find("timeline"), view)).observe(find("timeline"));
data(find("export-outcome"), "level", "");
