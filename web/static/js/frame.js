// What every page has: the pills, the notice, the theme, the keyboard. Other pages' scripts import this one first.

import { clock, bytes, span, timeOfDay } from "./format.js";
import { doc, link, onChange, serverNow, start } from "./link.js";
import { data, find, show, text } from "./page.js";

const LATE_MS = 2000;
const LOST_MS = 10_000; // as in /health: frames flow when the last one is at most 10 s old

/** How fresh the numbers are: level (good, warn, lost, unknown), words for the pill, a sentence where one is needed. */
function freshness() {
  if (link.lockedOut) {
    return ["lost", "Locked", "This browser's session has ended. Open the link of `vectra-supervisor status` again."];
  }
  if (!link.everUp) return ["unknown", "Connecting", ""];
  if (!link.up) {
    const since = timeOfDay(link.heardAt);
    const sentence = "The control room does not answer; reconnecting. The numbers below are the last known ones.";
    return ["lost", `Offline since ${since}`, sentence];
  }
  const at = doc.state.lastFrameAt;
  const wrong = doc.status.pageError;
  const trouble = wrong ? `Nothing comes from the game: ${wrong}. It is tried again; is site.url right?` : "";
  if (typeof at !== "number") {
    const sentence = trouble || "Nothing was received from the game yet. The line below says what runs.";
    return ["unknown", "No frame yet", sentence];
  }
  const age = Math.max(0, serverNow() - at);
  if (age > LOST_MS || (doc.state.connected === false && age > LATE_MS)) {
    const sentence = `${trouble || "Nothing comes from the game; the browser and its page are being brought back."} `
      + "The numbers below are the last known ones, and this time is recorded as a gap.";
    return ["lost", `Offline since ${timeOfDay(at)}`, sentence];
  }
  if (age > LATE_MS) return ["warn", `${span(Math.floor(age / 1000) * 1000).replace(".0", "")} ago`, ""];
  return ["good", `Live · ${(age / 1000).toFixed(1)} s`, ""];
}

const capital = (words) => words[0].toUpperCase() + words.slice(1);

let level = "";

function drawAge() {
  const [now, words, about] = freshness();
  const stuck = link.up && doc.status.workError ? `${capital(doc.status.workError)}. It goes on by itself when mended.` : "";
  const sentence = [stuck, about].filter(Boolean).join(" ");
  data(find("age"), "state", now);
  data(document.body, "age", now);
  data(document.body, "link", link.up ? "up" : "lost");
  text(find("age-text"), words);
  const notice = find("notice");
  show(notice, sentence !== "");
  text(notice, sentence);
  data(notice, "level", now === "lost" || stuck ? "bad" : "warn");
  if (level && now !== level) {
    text(find("announce"), { good: "Live", warn: "Frames are late" }[now] ?? `${words}. ${sentence}`);
  }
  level = now;
}

function drawRecording() {
  const recording = doc.status.recording;
  const on = link.up && doc.status.answered ? recording?.on : undefined; // a guess is no state
  const size = doc.status.journal?.bytes;
  data(find("rec"), "state", on === true ? "rec" : on === false ? "off" : "unknown");
  text(find("rec-more"), on === true && typeof size === "number" ? ` · ${bytes(size)}` : "");
  if (on !== true) return text(find("rec-text"), on === false ? "Not recording" : "REC –");
  text(find("rec-text"), typeof recording.since === "number" ? `REC ${clock(serverNow() - recording.since)}` : "REC");
}

/** The supervisor's line of health, where a page has one. */
function drawHealth() {
  const health = doc.status.health;
  if (!health || !find("health-title")) return;
  text(find("health-title"), link.up ? health.title : `Last known: ${health.title}`);
  data(find("health-title"), "level", health.level);
  text(find("health-last"), health.last ? `${span(serverNow() - health.last.at)} ago: ${health.last.text}` : "");
}

const THEMES = ["", "dark", "light"];

function nextTheme() {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "") + 1) % THEMES.length];
  if (next) root.dataset.theme = next;
  else delete root.dataset.theme;
  try {
    localStorage.setItem("vectra-theme", next);
  } catch {
    // storage switched off: the choice lasts as long as the page
  }
  nameTheme();
  document.dispatchEvent(new Event("themechange"));
}

function nameTheme() {
  const theme = document.documentElement.dataset.theme;
  const words = `Theme: ${theme ?? "as the system"}`;
  find("theme").setAttribute("aria-label", words);
  find("theme").title = words;
}

let waitingForPage = false;

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
  if (document.querySelector("dialog[open]")) return;
  if (waitingForPage) {
    waitingForPage = false;
    document.querySelector(`.nav a[data-key="${CSS.escape(event.key)}"]`)?.click();
  } else if (event.key === "g") {
    waitingForPage = true;
    setTimeout(() => { waitingForPage = false; }, 1500);
  } else if (event.key === "?") {
    find("keys-dialog").showModal();
  } else if (event.key === "/") {
    event.preventDefault();
    const field = find("find");
    if (field) field.focus();
    else location.href = "/games#find";
  } else if (event.key === "c") {
    document.dispatchEvent(new Event("chartform"));
  }
}

function localTimes() {
  for (const element of document.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    element.title = element.textContent;
    const two = (n) => String(n).padStart(2, "0");
    text(element, `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${timeOfDay(at.getTime())}`);
  }
}

document.addEventListener("keydown", onKey);
find("theme").addEventListener("click", nextTheme);
find("keys").addEventListener("click", () => find("keys-dialog").showModal());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.dispatchEvent(new Event("themechange"));
});
nameTheme();
localTimes();
if (location.hash === "#find") find("find")?.focus();
document.querySelector(".nav a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
onChange(() => {
  drawRecording();
  drawHealth();
  drawAge();
});
start();
