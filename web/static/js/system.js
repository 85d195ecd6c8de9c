// The System page: each actor with its state, its last exit and a restart button that tells what became of it.

import "./frame.js";
import { DASH, bytes, clock, fixed, span, whole } from "./format.js";
import { actorLook } from "./lists.js";
import { doc, onChange, serverNow } from "./link.js";
import { load, startLog } from "./logview.js";
import { confirmed, data, find, make, post, show, text } from "./page.js";
import { startReports } from "./reports.js";
import { drawTree } from "./tree.js";

const BACK_LIMIT_MS = 15_000;
const waiting = new Map(); // actor name -> what its restart waits for

function rowOf(name) {
  const body = find("actor-table").tBodies[0];
  let row = [...body.children].find((one) => one.dataset.actor === name);
  if (row) return row;
  row = find("actor-row").content.firstElementChild.cloneNode(true);
  row.dataset.actor = name;
  const [log, button] = row.querySelectorAll("button");
  log.setAttribute("aria-label", `Log of ${name}`);
  log.addEventListener("click", () => {
    load(name);
    find("log-title").scrollIntoView({ block: "start" });
    find("log").focus();
  });
  button.setAttribute("aria-label", `Restart ${name}`);
  button.addEventListener("click", () => restart(name));
  body.append(row);
  return row;
}

const upFor = (startedAt) => (typeof startedAt === "number" ? clock(serverNow() - startedAt) : DASH);

function drawActor(actor) {
  const row = rowOf(actor.name);
  const part = (name) => row.querySelector(`.${name}`);
  const [look, word] = actorLook(actor.state);
  text(part("name"), actor.name);
  text(part("job"), doc.status.words?.[actor.name]?.job ?? "");
  data(row.querySelector(".state .dot"), "state", look);
  text(part("word"), word || "ready");
  text(part("uptime"), upFor(actor.startedAt));
  text(part("restarts"), whole(actor.restarts));
  text(part("memory"), bytes(actor.rss_bytes));
  text(part("cpu"), typeof actor.cpu_percent === "number" ? `${fixed(actor.cpu_percent, 1)} %` : DASH);
  drawExit(row, actor.last_exit);
  row.querySelector("button.danger").disabled = waiting.has(actor.name);
}

/** Lines of the last ten minutes: from zero for the processor, between the extremes for memory. */
function drawVitals() {
  for (const row of find("actor-table").tBodies[0].children) {
    const line = doc.vitals.samples?.[row.dataset.actor];
    if (line) {
      draw100(row.querySelector(".memory-line path"), line.rss, false);
      draw100(row.querySelector(".cpu-line path"), line.cpu, true);
    }
    const [turns, lag] = flowWords(doc.vitals.now?.[row.dataset.actor]);
    text(row.querySelector(".turns"), turns);
    text(row.querySelector(".lag"), lag);
  }
}

function draw100(path, values, fromZero) {
  const known = values.filter((value) => typeof value === "number");
  const low = fromZero ? 0 : Math.min(...known);
  const high = fromZero ? Math.max(5, ...known) : Math.max(low * 1.05, ...known);
  const x = (index) => (100 * (index + 120 - values.length)) / 119;
  let pen = "M";
  const steps = values.map((value, index) => {
    if (typeof value !== "number") {
      pen = "M";
      return "";
    }
    const step = `${pen}${x(index).toFixed(1)} ${(20 - (18 * (value - low)) / (high - low || 1)).toFixed(1)}`;
    pen = "L";
    return step;
  });
  const d = steps.join("") || "M0 0";
  if (path.getAttribute("d") !== d) path.setAttribute("d", d);
}

/** Two lines: how much it does and what waits, and when it last did something. */
function flowWords(now) {
  if (!now) return [DASH, ""];
  const waiting = now.gauges.unacked ?? now.gauges.buffered_rows;
  const turns = [];
  if (typeof now.rates.turns === "number") turns.push(`${whole(now.rates.turns)} turns/s`);
  if (typeof waiting === "number") turns.push(`${whole(waiting)} waiting`);
  return [turns.join(" · ") || DASH, typeof now.lag === "number" ? `last one ${span(now.lag * 1000)} ago` : ""];
}

function drawExit(row, last) {
  text(row.querySelector(".exit-words"), last ? `${last.words}, ${span(serverNow() - last.at)} ago` : "never");
  const lines = last?.last_lines ?? [];
  show(row.querySelector("details"), lines.length > 0);
  text(row.querySelector("pre"), lines.join("\n"));
}

function draw() {
  const actors = doc.status.actors ?? [];
  show(find("actor-table"), actors.length > 0);
  show(find("actor-empty"), actors.length === 0);
  if (doc.status.answered === false) text(find("actor-empty"), "The supervisor does not answer.");
  const names = new Set(actors.map((actor) => actor.name));
  for (const row of [...find("actor-table").tBodies[0].children]) if (!names.has(row.dataset.actor)) row.remove();
  actors.forEach(drawActor);
  drawSupervisor(doc.status.supervisor);
  drawDoors(doc.status.endpoints ?? {});
}

function drawSupervisor(supervisor) {
  text(find("supervisor-state"), supervisor?.state ?? DASH);
  text(find("supervisor-uptime"), upFor(supervisor?.startedAt));
  text(find("supervisor-version"), supervisor?.version ?? DASH);
  text(find("supervisor-pid"), supervisor?.pid ? String(supervisor.pid) : DASH);
  text(find("supervisor-data"), supervisor?.data_dir ?? DASH);
}

function drawDoors(endpoints) {
  const list = find("doors");
  const shown = JSON.stringify(endpoints);
  if (list.dataset.shown === shown) return;
  list.dataset.shown = shown;
  list.replaceChildren(...Object.entries(endpoints).map(([name, url]) => {
    const row = make("div");
    row.append(make("dt", "", name), make("dd", "path", url ?? DASH));
    return row;
  }));
}

function tell(level, words) {
  show(find("outcome"), true);
  data(find("outcome"), "level", level);
  text(find("outcome"), words);
}

async function restart(name) {
  const away = doc.status.words?.[name]?.away ?? "It ends and starts again.";
  if (!(await confirmed({ title: `Restart ${name}?`, words: away, yes: `Restart ${name}` }))) return;
  const before = doc.status.actors?.find((actor) => actor.name === name);
  waiting.set(name, { pid: before?.pid, at: Date.now() });
  draw();
  tell("", `${name} is being restarted …`);
  try {
    await post(`/api/actors/${encodeURIComponent(name)}/restart`);
  } catch (error) {
    if (name === "web") return; // it cannot answer for its own end; the list will tell
    waiting.delete(name);
    tell("bad", error.message);
  }
  draw();
}

function watchRestarts() {
  for (const [name, before] of waiting) {
    const actor = doc.status.actors?.find((one) => one.name === name);
    const took = Date.now() - before.at;
    if (actor?.state === "ready" && actor.pid !== before.pid) {
      waiting.delete(name);
      tell("good", `${name} is ready again, as process ${actor.pid}.`);
    } else if (took > BACK_LIMIT_MS) {
      waiting.delete(name);
      tell("bad", `${name} is not ready again after ${span(took)}; it is ${actor?.state ?? "gone"}. Its log tells why.`);
    }
  }
}

onChange((changed) => {
  if (changed.has("vitals") || changed.has("status")) {
    drawVitals();
    drawTree(find("tree"));
    const gauges = doc.vitals.now?.normalizer?.gauges;
    text(find("malformed"), whole(gauges?.malformed));
    text(find("failures"), whole(gauges?.failures));
  }
  if (!changed.has("status")) return;
  watchRestarts();
  draw();
});
setInterval(() => {
  watchRestarts();
  draw();
}, 1000);
startLog().catch(() => text(find("log-empty"), "The logs cannot be read."));
startReports();
