// How fast events come and how far the disk is behind: the same rows on the Live and the Recording page.

import { DASH, bytes, seconds, span, unit, whole } from "./format.js";
import { doc } from "./link.js";
import { classes, find, text } from "./page.js";

const LATE_MS = 2000;

/** Draw the rows `events`, `byte-rate`, `disk` and, where the page has it, `gaps`. */
export function drawFlow() {
  const { eventsPerS, bytesPerS, behindMs, unsynced } = doc.pulse;
  text(find("events"), unit(eventsPerS, 1, "/s"));
  text(find("byte-rate"), typeof bytesPerS === "number" ? `${bytes(bytesPerS)}/s` : DASH);
  text(find("disk"), diskWords(behindMs, unsynced));
  classes(find("disk"), isLate(behindMs, unsynced) ? "warn" : "");
  const gaps = doc.status.gaps;
  if (!find("gaps")) return;
  text(find("gaps"), gapWords(gaps));
  classes(find("gaps"), gaps?.count > 0 ? "warn" : "");
}

function diskWords(behindMs, unsynced) {
  if (typeof behindMs !== "number") return "–";
  if (isLate(behindMs, unsynced)) return `${whole(unsynced)} waiting, ${span(behindMs)}`;
  return behindMs > LATE_MS ? "all" : `all, ${span(behindMs)} behind`; // with nothing waiting an old figure says nothing
}

function isLate(behindMs, unsynced) {
  return behindMs > LATE_MS && unsynced > 0;
}

function gapWords(gaps) {
  if (typeof gaps?.count !== "number") return "–";
  return gaps.count === 0 ? "none" : `${whole(gaps.count)} · ${seconds(gaps.seconds)}`;
}
