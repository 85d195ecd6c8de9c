// The log on the System page: newest records of one actor, by level and words, and what comes in while it follows.

import { ask, repeat } from "./api.js";
import { find, make, show, text } from "./page.js";

const KEPT = 1000;
const FOLLOW_S = 1;
let cursor = null;
let asked = 0; // answers to an earlier question are not shown

const address = (more) => {
  const given = { level: find("log-level").value, text: find("log-words").value.trim(), ...more };
  return `/api/logs/${encodeURIComponent(find("log-actor").value)}?${new URLSearchParams(given)}`;
};

function line(record) {
  const row = make("div", "log-line");
  row.dataset.level = record.level.toLowerCase();
  row.append(make("span", "log-at", record.at ? `${record.at.slice(5)}Z` : ""), make("span", "log-level", record.level), make("span", "log-text", record.text));
  return row;
}

function add(records) {
  const log = find("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(...records.map(line));
  while (log.children.length > KEPT) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
  show(find("log-empty"), log.children.length === 0);
}

export async function load(actor) {
  if (actor) find("log-actor").value = actor;
  const mine = (asked += 1);
  cursor = null;
  try {
    const answer = await ask(address({ count: 300 }));
    if (mine !== asked) return;
    find("log").replaceChildren();
    add(answer.records);
    find("log").scrollTop = find("log").scrollHeight;
    cursor = answer.cursor;
  } catch (error) {
    show(find("log-empty"), true);
    text(find("log-empty"), error.message);
  }
}

async function follow() {
  if (!find("log-follow").checked || cursor === null) return;
  const mine = asked;
  const answer = await ask(address({ cursor }));
  if (mine !== asked) return;
  cursor = answer.cursor;
  if (answer.records.length) add(answer.records);
}

export async function startLog() {
  const { logs } = await ask("/api/logs");
  const wanted = new URLSearchParams(location.search).get("log");
  find("log-actor").replaceChildren(...logs.map((name) => Object.assign(make("option", "", name), { value: name })));
  await load(logs.includes(wanted) ? wanted : logs.includes("supervisor") ? "supervisor" : logs[0]);
  for (const name of ["log-actor", "log-level"]) find(name).addEventListener("change", () => load());
  let typing = 0;
  find("log-words").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(load, 200);
  });
  find("log-form").addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });
  repeat(follow, FOLLOW_S);
}
