// The simulator's page: shows what the game sends, sends what the player orders, in the real site's own sequence.
// Whatever comes over the wire is put on the page as text, never as markup.
"use strict";

const byId = (id) => document.getElementById(id);
const chart = new Chart(byId("chart"));
const state = { game: null, phase: "connecting", price: 1, cash: null, quantity: 0, percent: 100, player: null, prices: [] };
let lastPing = 0;

const socket = io({ query: { "frontend-version": "1.0" } });

function hex(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function trace() {
  return { __trace: true, traceparent: `00-${hex(16)}-${hex(8)}-01` };
}

// Receive: most events have a trace object before their payload.
function on(name, handler) {
  socket.on(name, (...args) => handler(args[0]?.__trace ? args[1] : args[0]));
}

socket.on("connect", () => {
  state.player = null;
  socket.emit("chatHistory");
  socket.emit("getLeaderboard", { period: "7d" });
  socket.emit("authenticate", trace(), `made-up-credential-${hex(24)}`);
});

socket.on("disconnect", () => showPhase("connecting", "CONNECTING"));

on("usernameStatus", (identity) => {
  byId("username").textContent = identity.username ?? identity.id;
  if (state.player) return;
  state.player = identity.id;
  socket.emit("getPlayerCosmetics");
  socket.emit("getPlayerLeaderboardPosition", { playerId: identity.id, period: "7d" });
  socket.emit("checkUsername");
});

on("gameStateUpdate", (frame) => {
  if (frame.gameId !== state.game) {
    state.game = frame.gameId;
    state.prices = [1];
    state.price = 1;
    byId("game").textContent = frame.gameId;
  }
  if (frame.prices) state.prices = frame.prices;
  for (const [tick, price] of Object.entries(frame.partialPrices?.values ?? {})) state.prices[Number(tick)] = price;
  if (frame.price !== undefined) state.price = frame.price;
  if (frame.gameHistory) showHistory(frame.gameHistory);
  showState(frame);
  showLeaderboard(frame.leaderboard ?? []);
});

on("playerUpdate", (player) => {
  state.cash = player.cash;
  state.quantity = player.positionQty;
  byId("balance").textContent = `${player.cash.toFixed(3)} SOL`;
  byId("position").textContent = player.positionQty ? player.positionQty.toFixed(4) : "0";
  byId("averageCost").textContent = player.positionQty ? `${player.avgCost.toFixed(4)}x` : "–";
  signed(byId("profit"), player.cumulativePnL, 4);
  const bet = player.sideBet;
  byId("sidebet").textContent = bet ? `Yours runs until tick ${bet.end}.` : "";
  document.querySelector(".bet-button").classList.toggle("but-button-active", Boolean(bet));
  showLabels();
});

on("standard/newTrade", (trade) => {
  const price = Number(trade.price).toFixed(3);
  line("trades", trade.username ?? "anonymous", `${trade.type.replace("_", " ")} ${Number(trade.amount).toFixed(3)} at ${price}x`);
});
on("newChatMessage", (message) => line("chat", message.username ?? "anonymous", message.message));
on("chatHistory", (messages) => {
  for (const message of Array.isArray(messages) ? messages : []) line("chat", message.username ?? "anonymous", message.message);
});
on("currentSidebetResult", (result) => {
  const won = result.payout > 0;
  notice(won ? `Side bet won: ${result.payout.toFixed(3)} SOL` : `Side bet lost: ${result.betAmount.toFixed(3)} SOL`, !won);
});

// Show.
function showState(frame) {
  if (frame.rugged) showPhase("rugged", "RUGGED");
  else if (frame.active) showPhase("active", "ACTIVE");
  else if (frame.allowPreRoundBuys) showPhase("presale", "PRESALE");
  else showPhase("cooldown", "COOLDOWN");
  const seconds = (frame.cooldownTimer / 1000).toFixed(1);
  byId("clock").textContent = frame.cooldownTimer ? `next round in ${seconds} s` : `tick ${state.prices.length - 1}`;
  byId("price").textContent = `${state.price.toFixed(4)}x`;
  byId("price").className = `_price_x1 ${state.price < 1 ? "down" : frame.active ? "up" : ""}`;
  byId("players").textContent = `${frame.connectedPlayers} online`;
  byId("value").textContent = state.quantity ? `${(state.quantity * state.price).toFixed(4)} SOL` : "–";
  chart.show(state.prices, Boolean(frame.rugged));
  showLabels();
}

function showPhase(phase, text) {
  state.phase = phase;
  byId("phase").dataset.phase = phase;
  byId("phase").textContent = text;
}

function showHistory(rounds) {
  byId("history").replaceChildren(
    ...rounds.map((round) => {
      const item = document.createElement("li");
      item.textContent = `${round.peakMultiplier.toFixed(2)}x`;
      item.className = round.peakMultiplier >= 2 ? "big" : "";
      return item;
    }),
  );
}

function showLeaderboard(rows) {
  byId("leaderboard").replaceChildren(
    ...rows.map((row) => {
      const line = document.createElement("tr");
      line.className = row.id === state.player ? "me" : "";
      for (const text of [row.position, row.username ?? "anonymous"]) line.insertCell().textContent = text;
      signed(line.insertCell(), row.pnl, 3);
      return line;
    }),
  );
}

function showLabels() {
  byId("buyLabel").textContent = `+${amount().toFixed(3)} SOL`;
  byId("sellLabel").textContent = state.quantity
    ? `${((state.quantity * state.price * state.percent) / 100).toFixed(3)} SOL` : "";
  byId("sidebetLabel").textContent = `Win ${(amount() * 5).toFixed(3)} SOL`;
}

function signed(element, value, digits) {
  element.textContent = `${value > 0 ? "+" : ""}${value.toFixed(digits)}`;
  element.className = value > 0 ? "gain" : value < 0 ? "loss" : "";
}

function line(listId, who, what) {
  const item = document.createElement("li");
  const name = document.createElement("b");
  name.textContent = who;
  item.append(name, ` ${what}`);
  const list = byId(listId);
  list.prepend(item);
  while (list.children.length > 30) list.lastChild.remove();
}

function notice(text, refused) {
  byId("notice").textContent = text;
  byId("notice").classList.toggle("refused", refused);
}

// Order.
function amount() {
  return Number(byId("amount").value) || 0;
}

function setAmount(value) {
  byId("amount").value = Math.max(0, Math.round(value * 1000) / 1000).toFixed(3);
  showLabels();
}

function order(name, payload, done) {
  socket.emit(name, trace(), payload, (answer) => {
    notice(answer?.success ? answer.message ?? done : answer?.message ?? "No answer", !answer?.success);
  });
}

byId("amount").addEventListener("input", showLabels);
document.querySelector("._tradeControlsContainer_x1").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { add, times, set, percent } = button.dataset;
  if (add) setAmount(amount() + Number(add));
  if (times) setAmount(amount() * Number(times));
  if (set) setAmount(Number(set));
  if ("max" in button.dataset) setAmount(Math.floor((state.cash ?? 0) * 1000) / 1000);
  if (percent) {
    state.percent = Number(percent);
    for (const other of document.querySelectorAll("._percentageBtn_x1")) other.classList.toggle("_active_x1", other === button);
    showLabels();
  }
});
document.querySelector("._buy_x1").addEventListener("click", () => order("buyOrder", { amount: amount() }, "Bought"));
document.querySelector("._sell_x1").addEventListener("click", () => order("sellOrder", { percentage: state.percent }, "Sold"));
document.querySelector(".bet-button").addEventListener("click", () => {
  const coinAddress = "So11111111111111111111111111111111111111112";
  order("requestSidebet", { amount: amount(), coinAddress, xPayout: 5 }, "Side bet placed");
});

setInterval(() => {
  if (!socket.connected) return;
  const sent = performance.now();
  socket.emit("ping", { lastPing }, () => { lastPing = performance.now() - sent; });
}, 5000);
setAmount(0.03);
