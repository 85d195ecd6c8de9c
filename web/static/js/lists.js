// The lists of the Live page: leaderboard, last rounds, actors. Names come from other players: text only.

import { DASH, fixed, gainClass, peakClass, signed, times, whole } from "./format.js";
import { doc } from "./link.js";
import { classes, data, find, make, show, text } from "./page.js";

/** Draw what changed. */
export function drawLists(changed) {
  if (changed.has("state")) drawLeaders(doc.state.leaderboard, doc.state.playerId);
  if (changed.has("rounds")) drawRounds(doc.rounds.list ?? []);
  if (changed.has("status")) drawActors(doc.status.actors ?? []);
}

function fit(parent, count, build) {
  while (parent.children.length > count) parent.lastElementChild.remove();
  while (parent.children.length < count) parent.append(build());
}

function leaderRow() {
  const row = make("tr");
  const name = make("td");
  name.append(make("span", "who"), make("span", "coin"));
  row.append(name, make("td", "number"), make("td", "number"), make("td", "number"));
  return row;
}

function drawLeaders(leaders, me) {
  const rows = Array.isArray(leaders) ? leaders.slice(0, 10) : [];
  show(find("leaders"), rows.length > 0);
  show(find("leaders-empty"), rows.length === 0);
  const body = find("leaders").tBodies[0];
  fit(body, rows.length, leaderRow);
  rows.forEach((leader, index) => {
    const row = body.children[index];
    const [name, position, profit, percent] = row.children;
    const mine = Boolean(me) && leader.id === me;
    classes(row, mine ? "you" : "");
    text(name.firstElementChild, mine ? "you" : (leader.username ?? "no name"));
    text(name.lastElementChild, leader.selectedCoin?.ticker ?? ""); // no coin: SOL
    text(position, holding(leader));
    text(profit, signed(leader.pnl, 4));
    text(percent, signed(leader.pnlPercent, 1));
    classes(profit, `number ${gainClass(leader.pnl)}`);
    classes(percent, `number ${gainClass(leader.pnlPercent)}`);
  });
}

function holding(leader) {
  if (leader.shortPosition) return `short ${fixed(leader.shortPosition.amount, 3)}`;
  return leader.positionQty === 0 ? "0" : fixed(leader.positionQty, 4);
}

function chip() {
  const link = make("a", "chip");
  link.append(make("span", "peak"), make("span", "length"), make("span", "sign"));
  const item = make("li");
  item.append(link);
  return item;
}

const SIGNS = { true: "✓", false: "✗", null: "?" };
const FAIR = { true: "verified from its seed", false: "does not match its seed", null: "not verified" };

function drawRounds(rounds) {
  const list = find("rounds");
  fit(list, rounds.length, chip);
  rounds.forEach((round, index) => {
    const link = list.children[index].firstElementChild;
    const verdict = String(round.verified ?? null);
    const words = `Peak ${times(round.peak, 2)}, ${whole(round.ticks)} ticks, ${FAIR[verdict]}`;
    classes(link, `chip ${peakClass(round.peak)}`);
    const [peak, length, sign] = link.children;
    text(peak, times(round.peak, 2));
    text(length, whole(round.ticks));
    text(sign, SIGNS[verdict]);
    data(sign, "verdict", verdict);
    link.setAttribute("href", `/games/${encodeURIComponent(round.id)}`);
    link.setAttribute("aria-label", words);
    link.title = words;
  });
  show(find("rounds-empty"), rounds.length === 0);
  text(find("rounds-summary"), rounds.length ? summary(rounds) : "");
}

function summary(rounds) {
  const count = (test) => rounds.filter(test).length;
  const parts = [`${rounds.length} ${rounds.length === 1 ? "round" : "rounds"}: peak, ticks`, `${count((one) => one.verified)} ✓ verified from seed`];
  const wrong = count((one) => one.verified === false);
  const repaired = count((one) => one.missing > 0 && one.seen > 0);
  const unseen = count((one) => one.seen === 0);
  if (wrong) parts.push(`${wrong} ✗ not as their seed says`);
  if (unseen) parts.push(`${unseen} from the game's history alone`);
  if (repaired) parts.push(`${repaired} repaired from history`);
  return parts.join(" · ");
}

/** How an actor's state looks: the dot's state, and the word for it ("" where the dot alone says it is well). */
export function actorLook(state) {
  if (state === "ready") return ["good", ""];
  if (state === "starting" || state === "stopping") return ["warn", state];
  return ["lost", (state ?? DASH).replace("-", " ")];
}

function actor() {
  const item = make("li");
  item.append(make("span", "dot"), make("span"));
  return item;
}

function drawActors(actors) {
  const list = find("actors");
  fit(list, actors.length, actor);
  actors.forEach((one, index) => {
    const [dot, name] = list.children[index].children;
    const [look, word] = actorLook(one.state);
    data(dot, "state", look);
    text(name, one.name.replace("capture-", "capture ") + (word ? ` (${word})` : ""));
    list.children[index].setAttribute("aria-label", `${one.name}: ${one.state}`);
  });
}
