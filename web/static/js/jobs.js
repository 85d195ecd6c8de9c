// Long work on the Recording and the round's page: orders it, shows how far it is, cancels, and offers the file.

import { ask } from "./api.js";
import { bytes, span, whole } from "./format.js";
import { data, find, make, show, text } from "./page.js";

const BUSY_MS = 500;
const IDLE_MS = 10_000;
const STATES = { done: "done", failed: "failed", cancelled: "cancelled", interrupted: "interrupted by a restart" };

let timer = 0;

export function tell(level, words) {
  show(find("export-outcome"), true);
  data(find("export-outcome"), "level", level);
  text(find("export-outcome"), words);
}

/** Order work; resolves when it has begun. */
export async function begin(body) {
  try {
    const { job } = await ask("/api/jobs", { method: "POST", body });
    tell("", `Begun: ${job.title}.`);
  } catch (error) {
    tell("bad", error.message);
  }
  await refresh();
}

export async function refresh() {
  clearTimeout(timer);
  let busy = false;
  try {
    const { jobs } = await ask("/api/jobs");
    busy = jobs.some((job) => job.state === "running");
    draw(jobs);
  } catch {
    // away for a moment: what is shown stays
  }
  timer = setTimeout(refresh, busy ? BUSY_MS : IDLE_MS);
}

function draw(jobs) {
  const list = find("jobs");
  const rows = new Map([...list.children].map((row) => [row.dataset.job, row]));
  list.replaceChildren(...jobs.map((job) => fill(rows.get(job.id) ?? row(job), job)));
}

function row(job) {
  const item = make("li", "work");
  item.dataset.job = job.id;
  const bar = make("progress");
  bar.setAttribute("aria-label", `Progress of ${job.title}`);
  const actions = make("span", "work-actions");
  const fetched = make("a", "button", "Download");
  fetched.href = `/api/jobs/${encodeURIComponent(job.id)}/file`;
  fetched.setAttribute("aria-label", `Download ${job.title}`);
  const end = make("button", "button", "Cancel");
  end.type = "button";
  end.addEventListener("click", () => finish(item.dataset));
  actions.append(fetched, end);
  item.append(make("span", "work-title"), make("span", "small work-words"), bar, actions);
  return item;
}

function fill(item, job) {
  const [title, words, bar, actions] = item.children;
  const [fetched, end] = actions.children;
  const running = job.state === "running";
  data(item, "state", job.state);
  text(title, job.title);
  text(words, wordsOf(job));
  data(words, "level", job.state === "failed" ? "bad" : "");
  show(bar, running);
  if (job.total > 0) {
    bar.max = job.total;
    bar.value = job.done;
  } else bar.removeAttribute("value");
  show(fetched, job.state === "done" && Boolean(job.file));
  text(end, running ? "Cancel" : "Delete");
  end.setAttribute("aria-label", `${running ? "Cancel" : "Delete"} ${job.title}`);
  return item;
}

function wordsOf(job) {
  if (job.state === "running") {
    const share = job.total > 0 ? `${Math.floor((100 * job.done) / job.total)} % · ` : "";
    return `${share}${job.what || "beginning"}${job.rows ? ` · ${whole(job.rows)} rows` : ""}`;
  }
  if (job.state === "failed") return `failed: ${job.error}`;
  if (job.state !== "done") return STATES[job.state];
  const took = job.ended - job.created;
  if (job.kind === "compaction") return `${job.what} · ${span(took)}`;
  return `${job.file} · ${whole(job.rows)} rows · ${bytes(job.size)} · ${span(took)}`;
}

async function finish({ job, state }) {
  const path = `/api/jobs/${encodeURIComponent(job)}`;
  try {
    await (state === "running" ? ask(`${path}/cancel`, { method: "POST" }) : ask(path, { method: "DELETE" }));
    tell("", state === "running" ? "Cancelled; what an export had written is removed." : "Deleted.");
  } catch (error) {
    tell("bad", error.message);
  }
  await refresh();
}
