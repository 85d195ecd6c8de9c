// The Recording page: the switch, since when, how much, what is missing.

import "./frame.js";
import "./switch.js";
import { drawFlow } from "./flow.js";
import { DASH, bytes, clock, moment, seconds, whole } from "./format.js";
import { doc, onChange, serverNow } from "./link.js";
import { classes, find, text } from "./page.js";

function draw() {
  const { recording, journal, gaps, source, supervisor } = doc.status;
  const on = recording?.on === true;
  text(find("since"), on ? moment(recording.since) : recording?.on === false ? "off" : DASH);
  text(find("for"), on && typeof recording.since === "number" ? clock(serverNow() - recording.since) : DASH);
  text(find("bytes"), bytes(journal?.bytes));
  text(find("seq"), whole(journal?.seq));
  text(find("gaps-count"), whole(gaps?.count));
  text(find("gaps-seconds"), seconds(gaps?.seconds));
  classes(find("gaps-count"), gaps?.count > 0 ? "warn" : "");
  text(find("gaps-words"), gapWords(gaps));
  text(find("source"), source ? (source.connected ? "connected" : "not connected") : DASH);
  classes(find("source"), source?.connected === false ? "down" : "");
  text(find("source-url"), source?.url ?? "");
  text(find("data-dir"), supervisor?.data_dir ?? DASH);
}

function gapWords(gaps) {
  if (typeof gaps?.count !== "number") return "";
  if (gaps.count === 0) return "Everything the game sent since the start was seen.";
  return "What the game sent in these times was not seen. Rounds that ended then are filled in from the game's own "
    + "history; trades and account changes of that time are not known. Each gap stands in system_event with its cause.";
}

onChange((changed) => {
  if (changed.has("status")) draw();
  if (changed.has("status") || changed.has("pulse")) drawFlow();
});
setInterval(draw, 1000);
