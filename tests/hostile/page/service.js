// A service worker: opens sockets of its own, and answers in the game's stead when its pages ask the game.
"use strict";
const given = new URL(self.location).searchParams, here = given.get("here");
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.host === given.get("game") && url.searchParams.get("transport") === "polling") {
    const forged = `http://${here}/socket.io/?EIO=4&transport=polling`;
    event.respondWith(fetch(forged).then(async (answer) => new Response(await answer.text())));
  }
});
new WebSocket(`ws://${here}/socket.io/?EIO=4&transport=websocket`);
