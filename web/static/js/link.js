// The WebSocket to the control room: merges what changed into one document, tells listeners, and knows how old it is.
// Reconnects by itself with back-off and jitter. Never shows a dead connection as a quiet game: the server beats each
// second, and silence for longer counts as lost.

const BEAT_LIMIT_MS = 3500;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;
const OFFSETS_KEPT = 8;
const CLOCK_MS = 400; // clocks and ages go on with the data; without data, so often

export const doc = { state: {}, status: {}, pulse: {}, rounds: {}, rates: {}, vitals: {}, chart: null };
export const link = { up: false, heardAt: null, lockedOut: false, everUp: false };

const listeners = [];
const offsets = [];
let waitMs = FIRST_WAIT_MS;
let socket = null;
let resets = 0;

/**
 * Call `listener(changed)` when something changed, and for the clocks' sake at least twice a second; `changed` is a set
 * of section names. Not while the page is hidden. At once and not in the next frame: the chart asks for a frame when it
 * is told a price, so numbers and chart stand in the same one, and each message costs one frame and not two.
 */
export function onChange(listener) {
  listeners.push(listener);
}

/**
 * The server's clock now: what arrived with the least delay tells the difference of the clocks best. Without a
 * connection it stands still at the last message, so that nothing counts on that nobody knows.
 */
export function serverNow() {
  return (link.up ? Date.now() : (link.heardAt ?? Date.now())) + (offsets.length ? Math.max(...offsets) : 0);
}

const changed = new Set();
let drawnAt = 0;

function announce(sections) {
  for (const name of sections) changed.add(name);
  if (!document.hidden) draw();
}

function draw() {
  const now = new Set(changed);
  changed.clear();
  drawnAt = performance.now();
  for (const listener of listeners) listener(now);
}

function merge(message) {
  for (const name of ["state", "status", "pulse", "rounds", "rates", "vitals"]) {
    if (message[name]) doc[name] = { ...doc[name], ...message[name] };
  }
  const chart = message.chart;
  if (!chart) return;
  const before = chart.from > 0 && doc.chart ? doc.chart.prices.slice(0, chart.from) : [];
  if (chart.from === 0) resets += 1;
  const { from, prices, ...rest } = chart;
  doc.chart = { ...(from > 0 ? doc.chart : {}), ...rest, prices: before.concat(prices), reset: resets };
}

function hear(event) {
  const message = JSON.parse(event.data);
  offsets.push(message.now - Date.now());
  if (offsets.length > OFFSETS_KEPT) offsets.shift();
  waitMs = FIRST_WAIT_MS;
  const news = link.up ? [] : ["link"];
  Object.assign(link, { up: true, everUp: true, heardAt: Date.now(), lockedOut: false });
  merge(message);
  announce([...news, ...Object.keys(message)]);
}

function lose() {
  if (!socket) return;
  socket.onmessage = socket.onclose = null;
  socket.close();
  socket = null;
  link.up = false;
  announce(["link"]);
  setTimeout(connect, waitMs * (0.75 + Math.random() / 2));
  waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
  if (waitMs > 1000) askWhy();
}

async function askWhy() {
  try {
    link.lockedOut = (await fetch("/api/openapi.json", { method: "HEAD" })).status === 401;
  } catch {
    link.lockedOut = false; // not there at all
  }
  announce(["link"]);
}

/** Take over the socket that early.js opened; what it has heard is told when every script has its listeners. */
function adopt({ socket: opened, heard }) {
  queueMicrotask(() => { // after the modules, before the first frame
    if (socket !== opened) return;
    heard.forEach(hear);
    opened.onmessage = hear;
    if (opened.readyState > WebSocket.OPEN) lose();
  });
  return opened;
}

function open() {
  const view = document.body.dataset.view || "pulse";
  const opened = new WebSocket(`ws://${location.host}/ws/live?view=${view}`);
  opened.onmessage = hear;
  return opened;
}

function connect() {
  socket = window.early ? adopt(window.early) : open();
  delete window.early;
  socket.onclose = lose;
  link.triedAt = Date.now();
}

function watch() {
  const since = link.up ? link.heardAt : link.triedAt;
  if (socket && Date.now() - since > BEAT_LIMIT_MS) lose();
  if (performance.now() - drawnAt > CLOCK_MS) announce([]);
}

/** Connect, and stay connected. */
export function start() {
  connect();
  setInterval(watch, 250);
  document.addEventListener("visibilitychange", () => announce([]));
}
