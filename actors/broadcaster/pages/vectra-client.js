/**
 * Client of the VECTRA feed, an ES module without dependencies.
 *
 *   import { VectraClient } from "/shared/vectra-client.js";
 *   const client = new VectraClient("ws://127.0.0.1:9000/feed", { types: ["game.tick", "player.*"] });
 *   client.onEvent = (event) => console.log(event.type, event.seq, event.data);
 *   client.start();
 *
 * Comes back by itself after a lost connection, with `since`, so that nothing is missed or seen twice while the
 * journal still has it. What is lost for good is told to `onHole`.
 *
 * @typedef {{type: string, ts: number, gameId: string|null, seq: number, prev: number|null, data: object}} VectraEvent
 * @typedef {{count: number|null, from: number, to: number}} Hole
 */

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;

export class VectraClient {
  /**
   * @param {string} url
   * @param {{types?: string[]|null, since?: number|null}} [options] types: null is all; a trailing `*` is a wildcard
   */
  constructor(url, options = {}) {
    this.url = url;
    this.types = options.types ?? null;
    /** The number up to which everything was seen. @type {number|null} */
    this.seq = options.since ?? null;
    /** @type {(event: VectraEvent) => void} */
    this.onEvent = () => {};
    /** The current state, on each connection. @type {(snapshot: {seq: number, data: object, last: object}) => void} */
    this.onSnapshot = () => {};
    /** @type {(hole: Hole) => void} */
    this.onHole = () => {};
    /** @type {(state: "connecting"|"open"|"closed") => void} */
    this.onState = () => {};
    this._socket = null;
    this._waitMs = FIRST_WAIT_MS;
    this._timer = null;
    this._stopped = true;
    this._following = false;
  }

  /** Connect, and stay connected. */
  start() {
    this._stopped = false;
    this._connect();
  }

  /** Disconnect for good. */
  stop() {
    this._stopped = true;
    clearTimeout(this._timer);
    this._socket?.close();
  }

  /**
   * Change what is sent from now on.
   * @param {string[]|null} types
   */
  subscribe(types) {
    this.types = types;
    this._subscribe(null);
  }

  _connect() {
    this.onState("connecting");
    this._following = false;
    const socket = new WebSocket(this.url);
    this._socket = socket;
    socket.onopen = () => this._subscribe(this.seq);
    socket.onmessage = (message) => this._receive(JSON.parse(message.data));
    socket.onclose = () => this._closed(socket);
    socket.onerror = () => this._closed(socket); // some runtimes say no more than this where nobody listens
  }

  _closed(socket) {
    if (socket !== this._socket) return;
    this._socket = null;
    this.onState("closed");
    if (this._stopped) return;
    this._timer = setTimeout(() => this._connect(), this._waitMs * (0.5 + Math.random()));
    this._waitMs = Math.min(this._waitMs * 2, LONGEST_WAIT_MS);
  }

  _subscribe(since) {
    this._following = false;
    if (this._socket?.readyState === WebSocket.OPEN) {
      this._socket.send(JSON.stringify({ action: "subscribe", types: this.types, since }));
    }
  }

  _receive(message) {
    if (message.type === "hello" || message.type === "pong" || message.type === "error") return;
    if (message.type === "snapshot") {
      this.onSnapshot(message);
    } else if (message.type === "subscribed") {
      this._following = true;
      this._waitMs = FIRST_WAIT_MS;
      this.seq = message.seq;
      this.onState("open");
    } else if (!this._following) {
      return; // sent before our subscription was read: it comes again if we want it
    } else if (message.type === "dropped") {
      this.seq = Math.max(this.seq, message.to);
      this.onHole(message);
    } else if (message.seq > this.seq) {
      if (message.prev !== null && message.prev > this.seq) {
        this.onHole({ count: null, from: this.seq + 1, to: message.prev });
      }
      this.seq = message.seq;
      this.onEvent(message);
    }
  }
}
