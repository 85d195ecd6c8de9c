// The recording switch: asks before it stops, and shows what really happened, not that something was sent.

import { doc, link, onChange } from "./link.js";
import { confirmed, data, find, post, show, text } from "./page.js";

const STOP = {
  title: "Stop recording?",
  words: "From then on frames, ticks, trades and account changes are no longer written to Parquet; finished rounds and "
    + "system events still are. The journal and the feed go on, and nothing that is on disk is touched.",
  yes: "Stop recording",
};

let busy = false;

function draw() {
  const on = doc.status.recording?.on;
  const button = find("switch");
  button.setAttribute("aria-checked", String(on === true));
  text(button.firstElementChild, busy ? "…" : on === true ? "ON" : on === false ? "OFF" : "–");
  button.disabled = busy || !link.up || typeof on !== "boolean";
}

function tell(level, words) {
  const outcome = find("switch-outcome");
  show(outcome, true);
  data(outcome, "level", level);
  text(outcome, words);
}

async function flip() {
  const on = doc.status.recording?.on;
  if (on === true && !(await confirmed(STOP))) return;
  busy = true;
  draw();
  try {
    const answer = await post(`/api/recording/${on ? "stop" : "start"}`);
    doc.status.recording = { on: answer.on, since: on ? null : Date.now() };
    tell("good", `The recording is ${answer.on ? "on" : "off"}; the journal has it on disk as number ${answer.seq}.`);
  } catch (error) {
    tell("bad", error.message);
  }
  busy = false;
  draw();
}

find("switch").addEventListener("click", flip);
onChange((changed) => (changed.has("status") || changed.has("link")) && draw());
