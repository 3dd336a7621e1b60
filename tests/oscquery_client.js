// Walks the tree with npm's `oscquery`, then listens with Node's own WebSocket; prints one line of JSON for each thing learned.
const { OSCQueryDiscovery } = require("oscquery");

const port = Number(process.argv[2]);
const say = (thing) => console.log(JSON.stringify(thing));

(async () => {
  const discovery = new OSCQueryDiscovery();
  const service = await discovery.queryNewService("127.0.0.1", port);
  const methods = service.flat();
  const one = (path) => methods.find((method) => method.full_path === path);
  say({ oscPort: service.hostInfo.oscPort, count: methods.length, gain: one("/oscsynth/gain"), patch: one("/oscsynth/patch") });
  const stream = new WebSocket(`ws://127.0.0.1:${service.hostInfo.wsPort}/`);
  stream.binaryType = "arraybuffer";
  let heard = 0;
  stream.onopen = () => stream.send(JSON.stringify({ COMMAND: "LISTEN", DATA: "/oscsynth/latent/1" }));
  stream.onmessage = ({ data }) => {
    say(Buffer.from(data).toString("base64"));
    if (++heard === 2) process.exit(0);
  };
})();
