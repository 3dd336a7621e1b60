// The wire to the instrument: the tree of OSCQuery over HTTP, values and OSC packets over one WebSocket. It comes back by itself.

import { decode, encode } from "./osc.js";

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 3000;
const SILENCE_MS = 3500; // something is always said: /status twice a second, the answer to /sync each second
const PING_MS = 1000;
const TOUCHED_MS = 250; // what was moved here is not moved by its own echo
const GATHER_MS = 40; // several changes of the tree are one

/**
 * Events: "state" (detail: is it open), "tree" (another tree), "news" (detail: an address that nobody subscribed to, with its values).
 */
export class Link extends EventTarget {
  constructor(place = location) {
    super();
    this.place = place;
    this.nodes = new Map(); // path -> node of the tree, without what lies below
    this.below = new Map(); // path -> names below
    this.values = new Map(); // path -> list of values
    this.isOpen = false;
    this.roundTripMs = NaN;
    this.listeners = new Map(); // path -> set of functions
    this.touched = new Map(); // path -> until when
    this.late = new Map(); // path -> values that came meanwhile
    this.retryMs = FIRST_RETRY_MS;
    this.pinged = new Map();
    this.pings = 0;
    for (const event of ["online", "pageshow", "focus"]) addEventListener(event, () => this.hurry());
    document.addEventListener("visibilitychange", () => this.hurry());
    setInterval(() => this.look(), PING_MS);
    this.open();
  }

  // ---- what the page does

  /** Have a function called with the values of a path, now if they are known, and whenever they change. Returns what ends it. */
  on(path, listener) {
    const all = this.listeners.get(path) ?? new Set();
    this.listeners.set(path, all);
    all.add(listener);
    if (all.size === 1) this.say("LISTEN", path);
    if (this.values.has(path)) listener(...this.values.get(path));
    return () => {
      all.delete(listener);
      if (all.size) return;
      this.listeners.delete(path);
      this.say("IGNORE", path);
    };
  }

  /** Set a value: everything in the page that shows it follows at once. */
  set(path, types, ...values) {
    if (!this.send(path, types, ...values)) return;
    this.touched.set(path, performance.now() + TOUCHED_MS);
    this.deliver(path, values);
  }

  /** Send a message; returns whether anybody hears. */
  send(path, types = "", ...values) {
    if (!this.isOpen) return false;
    this.socket.send(encode(path, types, ...values));
    return true;
  }

  // ---- the wire

  open() {
    clearTimeout(this.timer);
    const secure = this.place.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${secure}://${this.place.host}/`);
    this.socket = socket;
    this.heardMs = performance.now();
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.greet(socket);
    socket.onclose = () => this.lost(socket);
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      this.heardMs = performance.now();
      if (typeof data === "string") this.command(JSON.parse(data));
      else for (const [path, values] of decode(data)) this.receive(path, values);
    };
  }

  async greet(socket) {
    try {
      await this.fetchTree();
    } catch {
      socket.close();
      return;
    }
    if (socket !== this.socket || socket.readyState !== WebSocket.OPEN) return;
    this.retryMs = FIRST_RETRY_MS;
    this.isOpen = true;
    this.touched.clear();
    for (const path of this.listeners.keys()) this.say("LISTEN", path);
    this.dispatchEvent(new CustomEvent("state", { detail: true }));
    this.dispatchEvent(new Event("tree"));
  }

  lost(socket) {
    if (socket !== this.socket) return;
    if (this.isOpen) {
      this.isOpen = false;
      this.roundTripMs = NaN;
      this.pinged.clear();
      this.dispatchEvent(new CustomEvent("state", { detail: false }));
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, LAST_RETRY_MS);
  }

  /** A phone that woke up, or a network that is back: do not wait. */
  hurry() {
    if (document.visibilityState === "hidden") return;
    if (this.socket.readyState > WebSocket.OPEN) {
      this.retryMs = FIRST_RETRY_MS;
      this.open();
    } else this.look();
  }

  /** A wire that is silent is cut, though nobody said so. */
  look() {
    const now = performance.now();
    if (this.socket.readyState <= WebSocket.OPEN && now - this.heardMs > SILENCE_MS) {
      const socket = this.socket;
      this.giveUp();
      this.lost(socket);
    } else if (this.isOpen && document.visibilityState === "visible") {
      this.pinged.set(++this.pings, now);
      this.send(`${this.root}/sync`, "i", this.pings);
    }
  }

  giveUp() {
    this.socket.onclose = this.socket.onopen = this.socket.onmessage = null;
    this.socket.close();
  }

  say(command, path) {
    if (this.isOpen) this.socket.send(JSON.stringify({ COMMAND: command, DATA: path }));
  }

  // ---- what is told

  command({ COMMAND: command }) {
    if (!command.startsWith("PATH_")) return;
    clearTimeout(this.gathering);
    this.gathering = setTimeout(async () => {
      try {
        await this.fetchTree();
      } catch {
        return; // the wire is cut: everything is fetched when it is back
      }
      for (const path of this.listeners.keys()) this.say("LISTEN", path); // those that were not there before
      this.dispatchEvent(new Event("tree"));
    }, GATHER_MS);
  }

  receive(path, values) {
    if (path === `${this.root}/synced`) this.measure(values[0]);
    else if (!this.listeners.has(path)) this.dispatchEvent(new CustomEvent("news", { detail: { path, values } }));
    else if (this.late.has(path) || (this.touched.get(path) ?? 0) > performance.now()) this.later(path, values);
    else this.deliver(path, values);
  }

  /** Deliver the newest values once the finger is off; none may overtake those that wait. */
  later(path, values) {
    const waits = this.late.has(path);
    this.late.set(path, values);
    if (waits) return;
    const deliver = () => {
      const left = (this.touched.get(path) ?? 0) - performance.now();
      if (left > 0) return void setTimeout(deliver, left + 1);
      this.deliver(path, this.late.get(path));
      this.late.delete(path);
    };
    deliver();
  }

  deliver(path, values) {
    this.values.set(path, values);
    for (const listener of this.listeners.get(path) ?? []) listener(...values);
  }

  measure(number) {
    const sent = this.pinged.get(number);
    if (sent === undefined) return;
    this.pinged.clear();
    this.roundTripMs = performance.now() - sent;
  }

  async fetchTree() {
    const answer = await fetch("/", { headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(SILENCE_MS) });
    if (!answer.ok) throw new Error(await answer.text());
    const tree = await answer.json();
    this.root = `/${Object.keys(tree.CONTENTS)[0]}`;
    this.nodes.clear();
    this.below.clear();
    this.take(tree);
  }

  take({ CONTENTS: contents, ...node }) {
    this.nodes.set(node.FULL_PATH, node);
    if (node.VALUE && !this.listeners.has(node.FULL_PATH)) this.values.set(node.FULL_PATH, node.VALUE);
    if (!contents) return;
    this.below.set(node.FULL_PATH, Object.keys(contents));
    Object.values(contents).forEach((each) => this.take(each));
  }
}
