/** The monitor's panel: asks /status.json every two seconds and shows it. Text only, nothing is ever parsed as HTML. */

const EVERY_MS = 2000;
const DOORS = {
  web: "Control room", monitor: "This monitor", feed: "Feed for clients", events: "ZeroMQ events", requests: "ZeroMQ requests",
  simulator: "Simulated game", cdp: "Chromium's DevTools",
};
const byId = (id) => document.getElementById(id);
const known = (value) => typeof value === "number";

function element(name, text, className = "", label = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  if (label) made.dataset.label = label;
  return made;
}

const fixed = (value, decimals, unit) => (known(value) ? `${value.toFixed(decimals)} ${unit}` : "–");
const whole = (value) => (known(value) ? String(value) : "–");

function clock(seconds) {
  if (!known(seconds)) return "–";
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return [hours, minutes, Math.floor(seconds) % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

function row(actor) {
  const made = document.createElement("tr");
  made.append(
    element("td", actor.name),
    element("td", actor.state, `state ${actor.state === "ready" ? "good" : "bad"}`),
    element("td", clock(actor.uptime_s), "number", "Up for"),
    element("td", whole(actor.restarts), "number", "Restarts"),
    element("td", known(actor.rss_bytes) ? fixed(actor.rss_bytes / 1e6, 1, "MB") : "–", "number", "Memory"),
    element("td", fixed(actor.cpu_percent, 1, "%"), "number", "CPU"),
  );
  return made;
}

function door([name, url]) {
  const made = document.createElement("div");
  const address = element("dd", "");
  const link = element(url.startsWith("http") ? "a" : "span", url);
  if (url.startsWith("http")) link.href = url;
  address.append(link);
  made.append(element("dt", DOORS[name] ?? name), address);
  return made;
}

function showNow({ source, recording, journal, gaps } = {}) {
  byId("frame").textContent = known(source?.last_frame_age_s) ? `${source.last_frame_age_s.toFixed(1)} s ago` : "–";
  byId("recording").textContent = { true: "on", false: "off" }[recording?.on] ?? "–";
  byId("journal").textContent = known(journal?.bytes) ? fixed(journal.bytes / 1e6, 1, "MB") : "–";
  byId("gaps").textContent = !known(gaps?.count) ? "–" : gaps.count === 0 ? "none" : `${gaps.count} · ${fixed(gaps.seconds, 1, "s")}`;
}

function show(answer) {
  byId("verdict").textContent = answer.ok ? "✓ All is well: frames flow and every actor is ready." : "✗ Something is wrong:";
  byId("verdict").className = answer.ok ? "good" : "bad";
  byId("reasons").replaceChildren(...answer.reasons.map((reason) => element("li", reason)));
  byId("rows").replaceChildren(...(answer.status?.actors ?? []).toReversed().map(row)); // in the order of the data's flow
  const links = Object.entries(answer.endpoints).toSorted(([a], [b]) => place(a) - place(b));
  if (byId("links").dataset.shown !== JSON.stringify(links)) byId("links").replaceChildren(...links.map(door));
  byId("links").dataset.shown = JSON.stringify(links); // the focus stays on a link that is the same
  showNow(answer.status ?? {});
}

const place = (name) => (Object.keys(DOORS).indexOf(name) + 99) % 99;

async function ask() {
  try {
    show(await (await fetch("/status.json")).json());
  } catch {
    byId("verdict").textContent = "✗ The monitor does not answer. What is shown below is old.";
    byId("verdict").className = "bad";
  }
  setTimeout(ask, EVERY_MS);
}

ask();
