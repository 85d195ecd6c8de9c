// One round's page: its chart, from the API.

import "./frame.js";
import { RoundChart } from "./chart.js";
import { find, show, text } from "./page.js";

function excuse(words) {
  show(find("chart-empty"), true);
  text(find("chart-empty"), words);
}

async function draw() {
  const response = await fetch(`/api/games/${encodeURIComponent(find("chart").dataset.game)}`);
  const round = await response.json();
  if (!response.ok) return excuse(round.error?.message ?? "The round could not be read.");
  if (!round.prices) return excuse("The game did not tell this round's prices, and they were not seen live.");
  const sidebets = [];
  new RoundChart(find("chart"), { interactive: true }).show({
    gameId: round.game_id, firstTick: 0, prices: round.prices, rugged: true, trades: [], sidebets, reset: 1,
  });
}

draw().catch(() => excuse("The control room did not answer. Reload the page to try again."));
