// The Live page: the round's numbers, own position, side bet, leaderboard, last rounds and the line of health.

import "./frame.js";
import "./switch.js";
import { RoundChart } from "./chart.js";
import { ask, repeat } from "./api.js";
import { drawFlow } from "./flow.js";
import { DASH, TICK_S, fixed, gainClass, seconds, signed, times, unit, whole } from "./format.js";
import { drawLists } from "./lists.js";
import { doc, onChange, serverNow } from "./link.js";
import { classes, data, find, show, text } from "./page.js";
import { drawTimeline } from "./timeline.js";

const DAY_LOOK_S = 60;
const known = (value) => typeof value === "number";
const chart = new RoundChart(find("chart"));
let day = null;
let gapsShown;

function drawHero() {
  const { price, phase, cooldownMs, tick, peak, connectedPlayers, rugpool } = doc.state;
  const counting = phase === "COOLDOWN" || phase === "PRESALE";
  text(find("price"), counting ? fixed(known(cooldownMs) ? cooldownMs / 1000 : null, 1) : fixed(price, 4));
  text(find("price-unit"), counting ? "s" : "×");
  classes(find("price"), phase === "RUGGED" ? "price-value down" : "price-value");
  text(find("tick"), counting ? DASH : whole(tick));
  text(find("peak"), counting ? DASH : times(peak));
  text(find("players"), whole(connectedPlayers));
  text(find("rugpool"), rugpoolWords(rugpool));
}

function rugpoolWords(pool) {
  if (!pool || !known(pool.instarugCount)) return DASH;
  return `${pool.instarugCount} / ${whole(pool.threshold)} · ${unit(pool.rugpoolAmount, 3, "SOL")}`;
}

function drawNote() {
  const { phase } = doc.state;
  const words = phase === "COOLDOWN" || phase === "PRESALE" ? ["to the next round"] : [];
  if (document.body.dataset.age === "lost") words.push("last known");
  text(find("price-note"), words.join(" · "));
}

function drawPhase() {
  const { phase, roundStartedAt } = doc.state;
  drawNote();
  const element = find("phase");
  if (element.dataset.phase !== (phase ?? "unknown") && phase) text(find("announce"), phase.toLowerCase());
  data(element, "phase", phase ?? "unknown");
  const fresh = document.body.dataset.age === "good";
  const running = phase === "ACTIVE" && known(roundStartedAt) && fresh;
  text(element, running ? `ACTIVE · ${((serverNow() - roundStartedAt) / 1000).toFixed(1)} s` : (phase ?? DASH));
}

function drawChart() {
  show(find("chart-empty"), !doc.chart);
  if (!doc.chart) return;
  chart.show(doc.chart);
  const { verdict, rugged, prices, firstTick } = doc.chart;
  const element = find("verdict");
  if (!rugged) return text(element, "");
  const fair = !verdict ? "seed not shown yet"
    : verdict.verified === true ? "✓ verified from seed"
    : verdict.verified === false ? "✗ does not match its seed"
    : "could not be verified";
  text(element, `Rugged at tick ${firstTick + prices.length - 1} · ${fair}`);
  element.title = verdict?.reason ?? "";
  classes(element, `verdict ${verdict?.verified === true ? "up" : verdict?.verified === false ? "warn" : ""}`);
}

function drawYou() {
  const { cash, positionQty, avgCost, unrealizedPnl, timeInPosition, shortPosition } = doc.state;
  const stranger = !known(cash) && !known(positionQty);
  show(find("you"), !stranger);
  show(find("you-empty"), stranger);
  if (stranger) return;
  const cost = known(positionQty) && known(avgCost) ? positionQty * avgCost : 0;
  text(find("balance"), unit(cash, 4, "SOL"));
  text(find("position"), positionWords(positionQty, avgCost, shortPosition));
  const share = cost > 0 && known(unrealizedPnl) ? ` (${signed((100 * unrealizedPnl) / cost, 1)} %)` : "";
  const holds = positionQty > 0 || shortPosition;
  text(find("unrealised"), holds ? signed(unrealizedPnl, 4) + share : DASH);
  classes(find("unrealised"), holds ? gainClass(unrealizedPnl) : "");
  const held = known(timeInPosition) && holds;
  text(find("held"), held ? `${whole(timeInPosition)} ticks · ${fixed(timeInPosition * TICK_S, 1)} s` : DASH);
}

function positionWords(quantity, cost, short) {
  if (short) return `short ${fixed(short.amount, 4)} @ ${times(short.entryPrice)}`;
  if (!known(quantity)) return DASH;
  return quantity === 0 ? "none" : `${fixed(quantity, 4)} @ ${times(cost)}`;
}

function drawSidebet() {
  const { sidebet, sidebetTicksLeft } = doc.state;
  show(find("sidebet"), Boolean(sidebet));
  show(find("sidebet-empty"), !sidebet);
  if (!sidebet) return;
  const start = sidebet.startTick ?? sidebet.startedAtTick;
  const pays = known(sidebet.betAmount) ? sidebet.betAmount * (sidebet.xPayout ?? 5) : null;
  text(find("sidebet-what"), `${unit(sidebet.betAmount, 3, "SOL")} at tick ${whole(start)}`);
  text(find("sidebet-pays"), known(pays) ? `pays ${fixed(pays, 3)}` : DASH);
  const left = known(sidebetTicksLeft) ? sidebetTicksLeft : null;
  text(find("sidebet-left"), left === null ? "" : `${left} of 40 ticks left`);
  find("sidebet-bar").value = left === null ? 0 : 40 - left;
}

onChange((changed) => {
  if (changed.has("state")) {
    drawHero();
    drawYou();
    drawSidebet();
  }
  if (changed.has("chart") || !doc.chart) drawChart();
  if (changed.has("pulse") || changed.has("status")) drawFlow();
  const gaps = doc.status.gaps?.count;
  if (gapsShown !== undefined && gaps !== gapsShown) lookAgain();
  gapsShown = gaps;
  drawLists(changed);
  drawPhase();
});

/** The last 24 hours in small: when it was recorded, and what was not seen. */
async function lookAtDay() {
  day = await ask("/api/recording?hours=24");
  const missed = day.gaps.reduce((sum, gap) => sum + gap.seconds, 0);
  text(find("day-words"), `Last 24 hours: ${day.gaps.length ? `${seconds(missed)} not seen` : "no gap"}`);
  drawTimeline(find("timeline"), day);
}

const lookAgain = repeat(lookAtDay, DAY_LOOK_S, 1); // after the round, whose first numbers it would hold up
new ResizeObserver(() => day && drawTimeline(find("timeline"), day)).observe(find("timeline"));
