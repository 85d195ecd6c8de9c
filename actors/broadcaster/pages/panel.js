/** The monitor's panel: asks /status.json every two seconds and shows it. Text only, nothing is ever parsed as HTML. */

const EVERY_MS = 2000;
const byId = (id) => document.getElementById(id);

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

const shown = (value, decimals = 0) => (value === null || value === undefined ? "–" : value.toFixed(decimals));

function row(actor) {
  const made = document.createElement("tr");
  made.append(
    element("td", actor.name),
    element("td", actor.state, actor.state === "ready" ? "good" : "bad"),
    element("td", shown(actor.uptime_s), "number"),
    element("td", shown(actor.restarts), "number"),
    element("td", shown(actor.rss_bytes === null ? null : actor.rss_bytes / 1e6, 1), "number"),
    element("td", shown(actor.cpu_percent, 1), "number"),
  );
  return made;
}

function link([name, url]) {
  const made = element("li", `${name}: `);
  if (url.startsWith("http")) {
    const anchor = element("a", url);
    anchor.href = url;
    made.append(anchor);
  } else {
    made.append(element("code", url));
  }
  return made;
}

function show(answer) {
  byId("verdict").textContent = answer.ok ? "All is well: frames flow and every actor is ready." : "Something is wrong:";
  byId("verdict").className = answer.ok ? "good" : "bad";
  byId("reasons").replaceChildren(...answer.reasons.map((reason) => element("li", reason)));
  byId("rows").replaceChildren(...(answer.status?.actors ?? []).map(row));
  byId("links").replaceChildren(...Object.entries(answer.endpoints).map(link));
}

async function ask() {
  try {
    show(await (await fetch("/status.json")).json());
  } catch {
    byId("verdict").textContent = "The monitor does not answer. What is shown below is old.";
    byId("verdict").className = "bad";
  }
  setTimeout(ask, EVERY_MS);
}

ask();
