// Gaps, drift, what became of actors, and the settings in force: the lower half of the System page.

import { ask, repeat } from "./api.js";
import { moment, seconds, whole } from "./format.js";
import { find, make, show, text } from "./page.js";

const HOURS = 168;
const LOOK_S = 30;
const CAME_BACK = { filled: "✓ all ticks", partly: "◐ part of the ticks", pending: "… pending", nothing: "✗ nothing" };
const DRIFT = { unknown: "unknown field", retyped: "another type", vanished: "no longer there" };
let settings = null;

function table(name, items, cells, empty) {
  show(find(`${name}-table`), items.length > 0);
  show(find(`${name}-empty`), items.length === 0);
  text(find(`${name}-empty`), empty);
  find(`${name}-table`).tBodies[0].replaceChildren(...items.map((item) => {
    const row = make("tr");
    row.append(...cells(item).map(([look, words]) => make("td", look, words)));
    return row;
  }));
}

async function reports() {
  const { gaps, drift, actors } = await ask(`/api/reports?hours=${HOURS}`);
  table("gap", gaps, (gap) => [
    ["number-left", moment(gap.since)], ["number warn", seconds(gap.seconds)], ["", gap.cause], ["", CAME_BACK[gap.repair]],
  ], "None: everything the game sent while VECTRA looked was seen.");
  table("drift", drift, (one) => [
    ["number-left", moment(one.since)], ["", DRIFT[one.what] ?? one.what], ["path", driftWords(one)], ["number", whole(one.frames)],
  ], find("drift-empty").textContent);
  table("life", actors, (one) => [["number-left", moment(one.at)], ["", String(one.data.actor ?? "")], ["", life(one.data)]],
    "Nothing yet: starts, ends and restarts of actors appear here.");
}

function life({ what, reason, after_ms: took, restarts }) {
  const parts = [String(what ?? "")];
  if (reason) parts.push(String(reason));
  if (typeof took === "number") parts.push(`back after ${seconds(took / 1000)}`);
  if (restarts > 0) parts.push(`restart no. ${whole(restarts)}`);
  return parts.join(", ");
}

const driftWords = ({ path, expected, found }) => path + (expected ? `: ${found}, not ${expected}` : found ? `: ${found}` : "");

function leaves(value, prefix = "") {
  return Object.entries(value).flatMap(([key, inner]) => (
    inner !== null && typeof inner === "object" && !Array.isArray(inner) && Object.keys(inner).length
      ? leaves(inner, `${prefix}${key}.`) : [[prefix + key, inner]]));
}

function drawSettings() {
  if (!settings) return;
  const wanted = find("settings-words").value.trim().toLowerCase();
  const rows = leaves(settings.config)
    .map(([key, value]) => [key, value, settings.sources[key] ?? "worked out"])
    .filter(([key, , source]) => key.includes(wanted) && (!find("settings-own").checked || source !== "default"));
  show(find("settings"), rows.length > 0);
  show(find("settings-empty"), rows.length === 0);
  text(find("settings-empty"), "No key matches.");
  find("settings").tBodies[0].replaceChildren(...rows.map(([key, value, source]) => {
    const row = make("tr");
    const shown = typeof value === "string" ? value : JSON.stringify(value);
    for (const [label, look, content] of [["Key", "path whole", key], ["Value", "path whole", shown], ["From", "whole", source]]) {
      const cell = make("td", look, content);
      cell.dataset.label = label;
      row.append(cell);
    }
    return row;
  }));
}

async function loadSettings() {
  try {
    settings = await ask("/api/settings");
    drawSettings();
  } catch (error) {
    text(find("settings-empty"), error.message);
  }
}

export function startReports() {
  repeat(reports, LOOK_S);
  loadSettings();
  find("settings-words").addEventListener("input", drawSettings);
  find("settings-own").addEventListener("change", drawSettings);
  find("settings-form").addEventListener("submit", (event) => event.preventDefault());
}
