// The hostile tab: attacks itself, and by frames, workers, popups and a service worker; presses its own BUY and SELL.
"use strict";
const given = new URL(location).searchParams;
const game = given.get("game"), here = given.get("here"), part = given.get("part");
const parts = given.get("parts"), passed = `game=${game}&here=${here}&parts=${parts}`;
const frame = (url) => {
  const element = document.createElement("iframe");
  element.src = url;
  document.body.append(element);
  return element;
};
const odd = [
  "\u202ertl", "\u0007bel", "\u001b]52;c;ZmZm\u0007", "'\"<b>", "\u0000", "\ud83d\ude00", "[redacted]", "=1+1",
];

if (part === "popup") {
  // A tab that is closed in the middle of a frame.
  const socket = new WebSocket(`ws://${here}/socket.io/?EIO=4&transport=websocket`);
  socket.onopen = () => { socket.send(`42["x","${"ffffffffffffffff".repeat(20000)}"]`); close(); };
} else if (part === "frame") {
  attack(game, here, parts, { names: 99, churns: 0, lasting: false });
} else if (part === "churn") {
  attack(game, here, parts, { names: 2, churns: 6 });
  if (parts.includes("evict")) evict(game);
} else if (part === "back") {
  // Left and returned to again and again, sockets and all.
  new WebSocket(`ws://${here}/socket.io/?EIO=4&transport=websocket&back`);
  const next = `/other?part=back&${passed}&at=${Math.random()}`;
  setTimeout(() => { if (history.length <= 20) location = next; }, 2000);
  setTimeout(() => history.back(), 3000);
} else {
  attack(game, here, parts, { names: 99, churns: 0 });
  const port = here.split(":")[1]; // other sites: processes of their own
  for (const each of ["frame", "back", "churn"]) frame(`http://${each}.localhost:${port}/?part=${each}&${passed}`);
  new Worker(`/worker.js?${passed}`);
  const call = `attack("${game}", "${here}", "${parts}", { names: 2 });`;
  const source = `self.importScripts("http://${here}/attack.js"); ${call}`;
  new Worker(URL.createObjectURL(new Blob([source])));
  new Worker(`data:text/javascript,${encodeURIComponent(source)}`);
  if (self.SharedWorker) new SharedWorker(`/worker.js?${passed}`);
  if (parts.includes("tiny")) new WebSocket(`ws://${here}/tiny?role=tiny`);
  if (parts.includes("impersonate")) navigator.serviceWorker?.register(`/service.js?${passed}`).then(async () => {
    await navigator.serviceWorker.ready;
    impersonate(game, here);
  });
  const rules = document.createElement("script");
  rules.type = "speculationrules";
  rules.textContent = JSON.stringify({ prerender: [{ source: "list", urls: [`/early?part=frame&${passed}`] }] });
  document.head.append(rules);
  let at = 0;
  setInterval(() => {
    document.title = odd[at % odd.length] + "ffffffffffffffff";
    history.replaceState(null, "", `/${encodeURIComponent(odd[at % odd.length])}ffffffffffffffff${location.search}`);
    at += 1;
  }, 500);
}

// Called by the campaign: as many presses as it wants, by script.
self.presses = (count) => {
  const buttons = document.querySelectorAll("button");
  for (let done = 0; done < count; done += 1) buttons[done % buttons.length].click();
  return count;
};

// Called as by a user's hand, or popups are blocked: a tab that lives for a moment, under a long, odd address.
self.popup = () => {
  const name = encodeURIComponent(odd[Math.floor(Math.random() * odd.length)]);
  window.open(`/${name}ffffffffffffffff${"x".repeat(200_000)}?part=popup&${passed}`, "_blank");
};
