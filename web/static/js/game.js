// One round's page: its chart with trades and side bets, which ticks were seen live, and the proof, from the API.

import "./frame.js";
import { ask } from "./api.js";
import { RoundChart } from "./chart.js";
import { DASH, fixed, times, whole } from "./format.js";
import { classes, find, make, show, text } from "./page.js";

const id = find("chart").dataset.game;
const path = `/api/games/${encodeURIComponent(id)}`;
const MOST_MARKS = 150;
const SVG = "http://www.w3.org/2000/svg";
const SIGNS = { true: "✓ same", false: "✗ differs", null: "nothing to compare" };

let chart = null;
let round = null;
let details = { trades: [], sidebets: [], presses: [], stretches: [], differences: [] };

function excuse(words) {
  show(find("chart-empty"), true);
  text(find("chart-empty"), words);
}

function drawChart() {
  if (!round?.prices) return;
  const trades = find("show-trades").checked
    ? details.trades.filter((one) => one.tick !== null && one.price !== null).slice(0, MOST_MARKS).map((one) => ({ ...one, quiet: true }))
    : [];
  const placed = details.sidebets.filter((bet) => bet.kind === "placed" && bet.start_tick !== null);
  const sidebets = find("show-bets").checked
    ? placed.slice(0, 60).map((bet) => ({ start: bet.start_tick, end: bet.end_tick ?? bet.start_tick + 40, quiet: true }))
    : [];
  chart ??= begin();
  chart.show({ gameId: id, firstTick: 0, prices: round.prices, rugged: true, trades, sidebets, reset: 1 });
}

/** The chart; the line of stretches below it shows the same ticks as it, also when it is moved. */
function begin() {
  const made = new RoundChart(find("chart"), { interactive: true });
  made.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
    if (range) find("stretches").setAttribute("viewBox", `${range.from} 0 ${range.to - range.from} 6`);
  });
  return made;
}

function drawDetails() {
  const { trades, sidebets, presses, stretches, differences, more } = details;
  text(find("trade-count"), `(${whole(trades.length)}${more ? " and more" : ""})`);
  text(find("bet-count"), `(${whole(sidebets.filter((bet) => bet.kind === "placed").length)})`);
  const live = stretches.some((one) => one.origin === "live");
  text(find("differences"), live ? (differences.length ? whole(differences.length) : "none") : DASH);
  classes(find("differences"), differences.length ? "warn" : "");
  fill("trades", trades, (one) => [
    ["number", whole(one.tick)], ["still", one.side ? `${/sell|close/.test(one.side) ? "▼" : "▲"} ${one.side.replace("_", " ")}` : DASH],
    ["number", fixed(one.amount, 4)], ["number", times(one.price)], ["path player", one.username ?? one.player_id ?? DASH],
  ]);
  fill("presses", presses, (one) => [
    ["number", whole(one.tick)], ["", one.button ?? DASH], ["number", fixed(one.amount, 4)],
    ["", one.success === true ? "✓ taken" : one.success === false ? "✗ refused" : "pressed"],
  ]);
  drawStretches(stretches);
}

function fill(name, items, cells) {
  show(find(name), items.length > 0);
  show(find(`${name}-empty`), items.length === 0);
  find(name).tBodies[0].replaceChildren(...items.map((item) => {
    const row = make("tr");
    row.append(...cells(item).map(([look, words]) => make("td", look, words)));
    return row;
  }));
}

function drawStretches(stretches) {
  const svg = find("stretches");
  svg.toggleAttribute("hidden", stretches.length === 0); // SVG elements have no property of that name
  if (!stretches.length) return text(find("stretch-words"), "");
  if (!chart) svg.setAttribute("viewBox", `0 0 ${stretches.at(-1).last + 1} 6`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren(...stretches.map((one) => {
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", `span ${one.origin === "live" ? "on" : "gap"}`);
    for (const [key, value] of Object.entries({ x: one.first - 0.5, y: 0, width: one.last - one.first + 1, height: 6 })) rect.setAttribute(key, value);
    return rect;
  }));
  const history = stretches.filter((one) => one.origin !== "live");
  const runs = history.slice(0, 5).map((one) => (one.first === one.last ? `${one.first}` : `${one.first} to ${one.last}`));
  text(find("stretch-words"), history.length
    ? `From the game's history, not seen live: tick ${runs.join(", ")}${history.length > 5 ? ", …" : ""}. Green: seen live.`
    : "Every tick on disk was seen live.");
}

function drawProof(proof) {
  show(find("proof-empty"), proof.why !== null);
  text(find("proof-empty"), proof.why ?? "");
  show(find("checks"), proof.why === null);
  show(find("tick-details"), proof.why === null);
  if (proof.why !== null) return;
  text(find("step-seed"), proof.random_seed);
  const hash = proof.checks[0];
  text(find("step-hash"), hash.same === null ? "" : `${SIGNS[hash.same]}: its SHA-256 is ${hash.found}`);
  classes(find("step-hash"), `path small ${hash.same ? "up" : "warn"}`);
  find("checks").tBodies[0].replaceChildren(...proof.checks.map((check) => {
    const row = make("tr");
    for (const [label, look, words] of [["What", "whole", check.name], ["Recorded", "path whole", check.expected],
      ["Computed", "path whole", check.found], ["Verdict", `whole still ${check.same === false ? "warn" : ""}`, SIGNS[check.same]]]) {
      const cell = make("td", look, words);
      cell.dataset.label = label;
      row.append(cell);
    }
    return row;
  }));
  find("tick-details").addEventListener("toggle", () => drawTicks(proof.ticks), { once: true });
}

function drawTicks(ticks) {
  find("tick-table").tBodies[0].replaceChildren(...ticks.map((one) => {
    const row = make("tr", one.same === false ? "warn" : "");
    const drawn = one.draws.map((value) => (value < 0.0001 ? value.toExponential(2) : value.toFixed(6))).join("  ");
    row.append(make("td", "number", String(one.tick)), make("td", one.decision === "drift" ? "unknown" : "", one.decision),
      make("td", "number", one.price.toFixed(6)), make("td", "number", one.recorded === null ? DASH : one.recorded.toFixed(6)),
      make("td", "", { true: "✓", false: "✗", null: DASH }[one.same]), make("td", "path small", drawn));
    return row;
  }));
}

async function main() {
  const proved = ask(`${path}/proof`).then(drawProof, (error) => text(find("proof-empty"), error.message));
  const known = ask(`${path}/details`).catch(() => details);
  round = await ask(path);
  if (!round.prices) excuse("The game did not tell this round's prices, and they were not seen live.");
  drawChart();
  details = await known;
  drawDetails();
  drawChart();
  await proved;
}

for (const name of ["show-trades", "show-bets"]) find(name).addEventListener("change", drawChart);
main().catch((error) => excuse(error.message));
