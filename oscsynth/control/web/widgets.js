// The table of what stands on the page. A row is shown where all its addresses are in the tree, and made anew when its key is another.

import { make, panel } from "./dom.js";
import { choice, fader, stepper, toggle } from "./fader.js";
import { patches, points, scenes, snapshots } from "./lists.js";
import { listen } from "./listen.js";
import { levels, spectrum, status } from "./meters.js";
import { chroma, keyboard } from "./notes.js";
import { pad } from "./pad.js";

/** Return what the tree says that can be chosen at a path. */
const choices = (link, path) => link.nodes.get(path)?.RANGE?.[0]?.VALS ?? [];

/** Say whether a part's patch sounds while notes are held. */
const isPlayed = (link, { base }) => link.values.get(`${base}/patch/mode`)?.[0] === "notes";

// `place` is where in index.html; `part` and `whole` are addresses that must be there, below the part and below the root; `when` says more.
export const WIDGETS = [
  { place: "spectrum", whole: ["spectrum"], make: spectrum },
  { place: "levels", whole: ["levels"], make: levels },
  { place: "pad", part: ["xy"], make: pad },
  { place: "notes", part: ["chroma"], when: (link, context) => !isPlayed(link, context), make: chroma },
  { place: "notes", part: ["note/on", "note/off"], when: isPlayed, make: keyboard },
  { place: "transport", part: ["gate", "gain/normalized"], make: transport },
  { place: "faders", part: ["latents"], make: latents, key: latentNames },
  { place: "patches", part: ["patch"], make: patches, key: (link, { base }) => choices(link, `${base}/patch`) },
  { place: "scenes", whole: ["scene"], make: scenes, key: (link, { root }) => choices(link, `${root}/scene`) },
  { place: "points", part: ["point"], make: points, key: (link, { base }) => choices(link, `${base}/point`) },
  { place: "snapshots", part: ["snapshot/stored"], make: snapshots },
  { place: "sound", part: ["pan"], make: sound, key: (link, { base }) => others(link, base) },
  { place: "status", whole: ["status"], make: status },
];

// Values that a widget of their own shows; every other one that the instrument has stands under Sound, by itself.
const ELSEWHERE =
  /^(latent|latents|chroma|xy|patch|gate|gain|point|morph|snapshot|note|part|master|close|panic|scene|record|notify|sync|timetags)(\/|$)/;

function latentNames(link, { base }) {
  const n = link.values.get(`${base}/latents`)?.length ?? 0;
  return Array.from({ length: n }, (_, at) => link.values.get(`${base}/latent/${at + 1}/name`)?.[0] || `latent ${at + 1}`);
}

function latents(link, context) {
  const { base, unsubscribe } = context;
  const faders = latentNames(link, context).map((name, at) => fader(link, `${base}/latent/${at + 1}`, name, { upright: true, unsubscribe }));
  const section = panel("Faders", make(`div.row-of-faders${faders.length > 5 ? ".narrow" : ""}`, {}, ...faders));
  section.style.setProperty("--n", Math.min(faders.length, 8));
  return section;
}

let theListener;

function transport(link, { base, root, unsubscribe }) {
  const gate = make("button.gate", { type: "button", "aria-pressed": "false", "data-path": `${base}/gate`, onclick: () => link.set(`${base}/gate`, "i", open ? 0 : 1) });
  let open = false;
  unsubscribe.push(
    link.on(`${base}/gate`, (now) => {
      open = now >= 0.5;
      gate.setAttribute("aria-pressed", String(open));
      gate.textContent = open ? "Gate open" : "Gate closed";
    }),
  );
  theListener ??= listen(link); // what is heard goes on when another part is shown
  const buttons = make("div.buttons", {}, gate, theListener, link.nodes.has(`${root}/record`) ? record(link, root, unsubscribe) : null);
  return make(
    "section.transport",
    { "aria-label": "Loudness" },
    buttons,
    fader(link, `${base}/gain`, "gain", { unsubscribe }),
    fader(link, `${root}/master/gain`, "master", { unsubscribe }),
  );
}

function record(link, root, unsubscribe) {
  let runs = false;
  const button = make("button.record", { type: "button", "aria-label": "record", onclick: () => link.set(`${root}/record`, "i", runs ? 0 : 1) }, make("span.dot"));
  unsubscribe.push(
    link.on(`${root}/record`, (now) => {
      runs = Boolean(now);
      button.setAttribute("aria-pressed", String(runs));
    }),
    link.on(`${root}/record/file`, (file) => (button.title = file ? `records into ${file}` : "record what is heard")),
  );
  return button;
}

/** Return the paths below a part of every value that no other widget shows. */
function others(link, base) {
  const found = [];
  for (const [path, node] of link.nodes) {
    const below = path.startsWith(`${base}/`) ? path.slice(base.length + 1) : "";
    const depth = below.split("/").length;
    if (!below || depth > 2 || ELSEWHERE.test(below) || !(node.ACCESS & 2) || /\/(normalized|text)$/.test(below)) continue;
    if (link.nodes.has(`${path}/normalized`) || (node.TYPE === "i" && node.RANGE?.[0].MAX >= 1) || (node.TYPE === "s" && node.RANGE?.[0].VALS)) found.push(below);
  }
  return found;
}

function sound(link, { base, unsubscribe }) {
  const made = others(link, base).map((below) => {
    const path = `${base}/${below}`;
    const label = below.replace("envelope/", "").replaceAll("/", " ");
    if (link.nodes.has(`${path}/normalized`)) return fader(link, path, label, { unsubscribe });
    const { TYPE: type, RANGE: range } = link.nodes.get(path);
    if (type === "i") return (range[0].MAX > 1 ? stepper : toggle)(link, path, label, { unsubscribe });
    return make("label.choice", {}, make("span.name", {}, label), choice(link, path, label, { unsubscribe }));
  });
  return panel("Sound", make("div.faders-lying", {}, ...made));
}
