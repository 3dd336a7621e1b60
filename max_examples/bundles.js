// Node for Max, no packages to install: sends each step as one OSC bundle, LATENCY seconds ahead of its time.
const dgram = require("dgram");
const Max = require("max-api");

const [HOST, PORT] = ["127.0.0.1", 57140];
const LATENCY = 0.1;
const socket = dgram.createSocket("udp4");

// OSC pads every text with one to four zeros to a multiple of four bytes.
const text = (said) => Buffer.concat([Buffer.from(said), Buffer.alloc(4 - (Buffer.byteLength(said) % 4))]);

function number(kind, value) {
  const four = Buffer.alloc(4);
  if (kind === "i") four.writeInt32BE(value);
  else four.writeFloatBE(value);
  return four;
}

const message = (address, kind, value) => Buffer.concat([text(address), text(`,${kind}`), number(kind, value)]);

function timeTag(seconds) {
  const eight = Buffer.alloc(8);
  eight.writeUInt32BE(Math.floor(seconds) + 2208988800); // OSC counts from 1900
  eight.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), 4);
  return eight;
}

function bundle(seconds, messages) {
  const elements = messages.flatMap((each) => [number("i", each.length), each]);
  return Buffer.concat([text("#bundle"), timeTag(seconds), ...elements]);
}

Max.addHandler("step", (note, latent) => {
  const messages = [message("/oscsynth/chroma/index", "i", Math.round(note)), message("/oscsynth/latent/1", "f", latent)];
  socket.send(bundle(Date.now() / 1000 + LATENCY, messages), PORT, HOST);
});
