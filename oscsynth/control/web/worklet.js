// In the browser's audio thread: keeps what has come until its time, and hands it on. A gap makes it keep a little more.

const RING = 65536; // samples
const [STEP_SECONDS, MOST_SECONDS, SPARE_SECONDS] = [0.015, 0.11, 0.035]; // all in all at most 0.2 with what the system adds
const FADE = 256; // where something is left out

registerProcessor(
  "listener",
  class extends AudioWorkletProcessor {
    constructor({ processorOptions: { target } }) {
      super();
      this.ring = [new Float32Array(RING), new Float32Array(RING)];
      this.target = target * sampleRate; // that wait before they are played
      this.written = this.read = this.gaps = this.said = 0;
      this.hash = 2166136261; // of everything that has come, so that it can be held against what was rendered
      this.plays = false;
      this.port.onmessage = ({ data }) => this.take(data);
    }

    take(samples) {
      const bits = new Uint32Array(samples.buffer, samples.byteOffset, samples.length);
      for (let at = 0; at < bits.length; at++) this.hash = Math.imul(this.hash ^ bits[at], 16777619);
      for (let at = 0; at < samples.length; at++) this.ring[at & 1][(this.written + (at >> 1)) % RING] = samples[at];
      this.written += samples.length >> 1;
    }

    process(inputs, [out]) {
      const left = this.written - this.read;
      if (!this.plays && left >= this.target) this.plays = true;
      else if (this.plays && left < out[0].length) {
        this.plays = false;
        this.gaps++;
        this.target = Math.min(this.target + STEP_SECONDS * sampleRate, MOST_SECONDS * sampleRate);
      }
      if (this.plays) this.play(out, left);
      if (currentTime - this.said > 0.1) {
        this.said = currentTime;
        this.port.postMessage({ waiting: left / sampleRate, gaps: this.gaps, plays: this.plays, count: this.written, hash: this.hash >>> 0 });
      }
      return true;
    }

    play(out, left) {
      const skip = left > this.target + SPARE_SECONDS * sampleRate ? Math.floor(left - this.target) : 0; // the clocks of both sides are never the same
      for (let side = 0; side < out.length; side++) {
        const ring = this.ring[side & 1];
        for (let at = 0; at < out[side].length; at++) {
          const old = ring[(this.read + at) % RING];
          const share = skip ? Math.min(at / Math.min(FADE, out[side].length), 1) : 0;
          out[side][at] = skip ? old * (1 - share) + ring[(this.read + skip + at) % RING] * share : old;
        }
      }
      this.read += out[0].length + skip;
    }
  },
);
