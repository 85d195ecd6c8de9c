// The list of rounds: the one that is running now stands above it, with a way to its chart.

import "./frame.js";
import { times, whole } from "./format.js";
import { doc, onChange } from "./link.js";
import { find, show, text } from "./page.js";

function draw() {
  const { gameId, phase, tick, price, peak } = doc.state;
  const running = phase === "ACTIVE" && Boolean(gameId);
  const fresh = document.body.dataset.age === "good";
  const pausing = phase ? "No round is running; the next one begins soon." : "";
  text(find("running-lead"), running ? (fresh ? "Running now: " : "Running when last seen: ") : pausing);
  show(find("running-round"), running);
  text(find("running-id"), running ? gameId : "");
  text(find("running-words"), running ? ` · tick ${whole(tick)} · ${times(price)} · peak ${times(peak, 2)}` : "");
}

onChange((changed) => changed.has("state") && draw());
setInterval(draw, 1000); // the age of what is shown changes without a message
