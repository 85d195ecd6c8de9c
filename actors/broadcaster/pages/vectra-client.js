/**
 * Client of the VECTRA feed, an ES module without dependencies.
 *
 *   import { VectraClient } from "/shared/vectra-client.js";
 *   const client = new VectraClient("ws://127.0.0.1:9000/feed", { types: ["game.tick", "player.*"] });
 *   client.onEvent = (event) => console.log(event.type, event.seq, event.data);
 *   client.start();
 *
 * Every event once, in order: after a lost connection, a restart, or a loss on the way (we read too slowly) it asks
 * again with `since`, and the journal fills in. A connection that has gone silent is found by pings. What is lost for
 * good is reported to `onHole`. Where another recording runs there now (its id differs, or its numbers end before ours),
 * it goes on at the present of that one, and what went before is reported to `onHole` too, with its `recording`.
 *
 * @typedef {{[key: string]: any}} Data
 * @typedef {{type: string, ts: number, gameId: string|null, seq: number, prev: number|null, data: Data}} VectraEvent
 * @typedef {{seq: number, data: Data, last: {[type: string]: number}, recording?: string}} Snapshot
 * @typedef {{count: number|null, from: number, to: number, recording?: string}} Hole
 * @typedef {"connecting"|"open"|"closed"} State
 */

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;
const PING_MS = 5000;
const SILENT_MS = 12000; // two pings and their answers

export class VectraClient {
  /**
   * @param {string} url
   * @param {{types?: string[]|null, since?: number|null, recording?: string|null, heal?: boolean, pingMs?: number}}
   *   [options] types: null is all; a trailing `*` is a wildcard. since: begin after this number. recording: which one
   *   `since` belongs to; null: the one that runs there. heal: ask again for what was lost on the way (default); false:
   *   report it to `onHole` and stay at the present. pingMs: how often to ask for a sign of life.
   */
  constructor(url, options = {}) {
    this.url = url;
    /** What is asked for. @type {string[]|null} */
    this.types = options.types ?? null;
    /** The number up to which everything was seen. @type {number|null} */
    this.seq = options.since ?? null;
    /** The recording that this number belongs to; of an older VECTRA null. @type {string|null} */
    this.recording = options.recording ?? null;
    /** @type {(event: VectraEvent) => void} */
    this.onEvent = () => {};
    /** The current state, on each connection. @type {(snapshot: Snapshot) => void} */
    this.onSnapshot = () => {};
    /** @type {(hole: Hole) => void} */
    this.onHole = () => {};
    /** @type {(state: State) => void} */
    this.onState = () => {};
    /** What the feed refused, in its words. @type {(message: string) => void} */
    this.onError = () => {};
    /** Those of our types that no event can ever have. @type {(types: string[]) => void} */
    this.onUnknown = () => {};
    this._heals = options.heal ?? true;
    this._pingMs = options.pingMs ?? PING_MS;
    this._silentMs = (this._pingMs * SILENT_MS) / PING_MS;
    /** @type {WebSocket|null} */
    this._socket = null;
    this._waitMs = FIRST_WAIT_MS;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this._timer = undefined;
    /** @type {ReturnType<typeof setInterval>|undefined} */
    this._pinging = undefined;
    this._heardMs = 0;
    this._stopped = true;
    this._following = false; // what comes belongs to a subscription of ours
    /** The number from which a loss was asked for again. @type {number|null} */
    this._healedAt = null;
    this._greeted = false; // it said where its numbers are, so we may subscribe
    this._anew = false; // the numbers here are not those we knew
    this._moved = false; // since it is another recording
    this._head = 0; // the newest number here, when it greeted us
  }

  /** Connect, and stay connected. */
  start() {
    if (!this._stopped) return;
    this._stopped = false;
    this._waitMs = FIRST_WAIT_MS;
    this._connect();
  }

  /** Disconnect for good, or until `start`. */
  stop() {
    this._stopped = true;
    clearTimeout(this._timer);
    const socket = this._socket;
    if (!socket) return;
    this._closed(socket);
    socket.close();
  }

  /**
   * Change what is sent from now on. What both subscriptions hold goes on without a hole or a double.
   * @param {string[]|null} types
   */
  subscribe(types) {
    this.types = types;
    this._subscribe(this.seq);
  }

  _connect() {
    this.onState("connecting");
    this._following = this._greeted = false;
    const socket = new WebSocket(this.url);
    this._socket = socket;
    this._heardMs = Date.now();
    this._pinging = setInterval(() => this._ping(socket), this._pingMs);
    socket.onmessage = (message) => {
      if (socket === this._socket) this._receive(JSON.parse(message.data));
    };
    socket.onclose = () => this._closed(socket);
    socket.onerror = () => this._closed(socket); // some runtimes say no more than this where nobody listens
  }

  /** @param {WebSocket} socket */
  _closed(socket) {
    if (socket !== this._socket) return;
    this._socket = null;
    this._following = false;
    clearInterval(this._pinging);
    this.onState("closed");
    if (this._stopped) return;
    this._timer = setTimeout(() => this._connect(), this._waitMs * (0.5 + Math.random()));
    this._waitMs = Math.min(this._waitMs * 2, LONGEST_WAIT_MS);
  }

  /**
   * Ask for a sign of life; give up a connection that gave none. The network may be gone without a word.
   * @param {WebSocket} socket
   */
  _ping(socket) {
    if (Date.now() - this._heardMs > this._silentMs) {
      this._closed(socket);
      socket.close();
    } else if (socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify({ action: "ping", ts: Date.now() }));
    }
  }

  /** @param {number|null} since */
  _subscribe(since) {
    if (this._greeted && this._socket?.readyState === WebSocket.OPEN) {
      const recording = since === null || this.recording === null ? {} : { recording: this.recording };
      // where nothing is known there yet, everything that comes is new; what we know already is passed over
      const begin = since === null || this._head > 0 ? since : 0;
      this._socket.send(JSON.stringify({ action: "subscribe", types: this.types, since: begin, ...recording }));
    }
  }

  /** @param {Data} message */
  _receive(message) {
    this._heardMs = Date.now();
    if (message.type === "pong") return;
    if (message.type === "hello") {
      const recording = message.recording ?? null;
      this._head = message.seq;
      this._moved = this.seq !== null && this.recording !== null && recording !== null && recording !== this.recording;
      this._anew = this._moved || (this.seq !== null && 0 < message.seq && message.seq < this.seq);
      if (this._anew) this.seq = null;
      this.recording = recording ?? this.recording;
      this._greeted = true;
      this._subscribe(this.seq);
    } else if (message.type === "error") {
      this.onError(message.message);
    } else if (message.type === "snapshot") {
      this.onSnapshot(/** @type {Snapshot} */ (message));
    } else if (message.type === "subscribed") {
      this._following = true;
      this._waitMs = FIRST_WAIT_MS;
      this.seq = Math.max(this.seq ?? 0, message.seq);
      this.onState("open");
      if (message.unknown?.length) this.onUnknown(message.unknown);
      if (this._anew) this.onHole({ count: null, from: 1, to: message.seq, ...this._where() });
      this._anew = this._moved = false;
    } else if (this._following) {
      this._take(message); // else it was sent before our subscription was read: it comes again if we want it
    }
  }

  /** @returns {{recording?: string}} */
  _where() {
    return this._moved && this.recording !== null ? { recording: this.recording } : {};
  }

  /** @param {Data} message */
  _take(message) {
    const known = this.seq ?? 0;
    if (message.type === "dropped") {
      if (message.to > known) this._lost({ count: message.count, from: message.from, to: message.to });
      return;
    }
    if (message.seq <= known) return;
    if (message.prev !== null && message.prev > known) {
      this._lost({ count: null, from: known + 1, to: message.prev }, true);
      if (!this._following) return;
    }
    this.seq = message.seq;
    this.onEvent(/** @type {VectraEvent} */ (message));
  }

  /**
   * Ask again for what was lost on the way, once; where the journal has it no more, tell it.
   * @param {Hole} hole
   */
  _lost(hole, unsaid = false) {
    if (this._heals && (unsaid || hole.count !== null) && this._healedAt !== this.seq) {
      this._healedAt = this.seq;
      this._following = false;
      this._subscribe(this.seq);
      return;
    }
    this.seq = Math.max(this.seq ?? 0, hole.to);
    this.onHole(hole);
  }
}
