// Listening in the page: what the instrument plays, for a box without a sound card. Off until pressed.

import { make } from "./dom.js";

const TARGET_SECONDS = 0.06; // that wait before they are played
const RETRY_MS = 1000;

/** A player of samples: `take` gets float32 samples, left and right in turn; `waiting` is how many seconds lie ahead. */
class Worklet {
  static async on(context) {
    await context.audioWorklet.addModule("/page/worklet.js");
    return new Worklet(context);
  }

  constructor(context) {
    this.state = { waiting: 0, gaps: 0, plays: false };
    this.node = new AudioWorkletNode(context, "listener", { numberOfInputs: 0, outputChannelCount: [2], processorOptions: { target: TARGET_SECONDS } });
    this.node.port.onmessage = ({ data }) => (this.state = data);
    this.node.connect(context.destination);
  }

  end() {
    this.node.disconnect();
  }

  take(samples) {
    this.node.port.postMessage(samples, [samples.buffer]);
  }
}

/** The same where there are no worklets: browsers have them for this computer's own pages and over HTTPS alone, not for a phone's on a plain network. */
class Queue {
  constructor(context) {
    this.context = context;
    this.next = 0;
    this.gaps = 0;
  }

  get state() {
    return { waiting: Math.max(0, this.next - this.context.currentTime), gaps: this.gaps, plays: this.next > this.context.currentTime };
  }

  end() {}

  take(samples) {
    const { context } = this;
    const length = samples.length >> 1;
    const buffer = context.createBuffer(2, length, context.sampleRate);
    for (let side = 0; side < 2; side++) {
      const channel = buffer.getChannelData(side);
      for (let at = 0; at < length; at++) channel[at] = samples[2 * at + side];
    }
    const late = this.next < context.currentTime + 0.005;
    if (late || this.next > context.currentTime + 3 * TARGET_SECONDS) {
      if (this.next) this.gaps++;
      this.next = context.currentTime + TARGET_SECONDS;
    }
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(context.destination);
    source.start(this.next);
    this.next += length / context.sampleRate;
  }
}

/** What comes over the wire, into a player. */
export class Ear {
  constructor(link) {
    this.link = link;
    this.first = null; // what the instrument said of the samples: rate, place, generation
    this.isOn = false;
  }

  /** Begin, while a finger is on the button: only then may a page be heard. */
  start() {
    this.isOn = true;
    const status = this.link.values.get(`${this.link.root}/status`) ?? [];
    this.open(status[status.indexOf("sample_rate_hz") + 1] || 44100);
    this.connect();
  }

  stop() {
    this.isOn = false;
    this.socket.close();
    this.hush();
  }

  connect() {
    const secure = this.link.place.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${secure}://${this.link.place.host}/page/sound`);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    let order = Promise.resolve(); // a player takes a moment to be there
    socket.onmessage = ({ data }) => {
      order = order.then(() => {
        if (socket !== this.socket || !this.isOn) return null;
        return typeof data === "string" ? this.begin(JSON.parse(data)) : this.player.take(new Float32Array(data));
      });
    };
    socket.onclose = () => {
      this.player?.end();
      this.player = null;
      if (this.isOn && socket === this.socket) setTimeout(() => this.isOn && socket === this.socket && this.connect(), RETRY_MS);
    };
  }

  open(rate) {
    this.context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
    this.context.resume();
  }

  async begin(first) {
    this.first = first;
    this.player?.end();
    if (this.context.sampleRate !== first.sample_rate_hz) {
      this.context.close();
      this.open(first.sample_rate_hz);
    }
    this.player = this.context.audioWorklet ? await Worklet.on(this.context) : new Queue(this.context);
  }

  hush() {
    this.context.close();
    this.context = this.player = null;
  }

  /** Return how many seconds pass from the engine to the ear, as far as a browser knows; NaN before it plays. */
  get delay() {
    if (!this.context || !this.player?.state.plays) return NaN;
    const { baseLatency = 0, outputLatency = 0 } = this.context;
    return this.player.state.waiting + baseLatency + outputLatency + this.first.every_seconds / 2 + (this.link.roundTripMs || 0) / 2000;
  }
}

export function listen(link) {
  const ear = new Ear(link);
  const said = make("span.delay", {}, "listen");
  const button = make(
    "button.listen",
    { type: "button", "aria-pressed": "false", title: "hear the instrument here: on a stage its sound card is nearer", onclick: () => turn(!ear.isOn) },
    said,
  );
  const show = () => {
    const late = ear.delay;
    said.textContent = !ear.isOn ? "listen" : Number.isNaN(late) ? "…" : `${Math.round(1000 * late)} ms`;
  };
  const turn = (on) => {
    if (on) ear.start();
    else ear.stop();
    button.setAttribute("aria-pressed", String(on));
    button.setAttribute("aria-label", on ? "stop listening here" : "listen here");
    show();
  };
  button.setAttribute("aria-label", "listen here");
  setInterval(show, 250);
  button.ear = ear;
  return button;
}
