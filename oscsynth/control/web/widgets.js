// The table of what stands on the page. A row is shown where all its addresses are in the tree, and made anew when its key is another.

import { make, panel } from "./dom.js";
import { choice, fader, stepper, toggle } from "./fader.js";
import { count, instruments, namesOf } from "./instruments.js";
import { latentNames, latents } from "./latents.js";
import { midi } from "./learn.js";
import { patches, points, snapshots } from "./lists.js";
import { levels, spectrum, status } from "./meters.js";
import { chroma, keyboard } from "./notes.js";
import { pad } from "./pad.js";
import { ring } from "./ring.js";
import { scenes } from "./scenes.js";
import { heardBy, track } from "./track.js";
import { isPlayed, transport } from "./transport.js";

/** Return what the tree says that can be chosen at a path. */
const choices = (link, path) => link.nodes.get(path)?.RANGE?.[0]?.VALS ?? [];

const heard = (link, { base }) => heardBy(link, base);
const hasInstruments = (link, { base }) => count(link, base) > 0;
const instrumentNames = (link, { base }) => namesOf(link, base);
const not = (test) => (link, context) => !test(link, context);
const pointsOf = (link, { base }) => choices(link, `${base}/point`);

// `place` is where in index.html; `part` and `whole` are addresses that must be there, below the part and below the root; `when` says more.
export const WIDGETS = [
  { place: "spectrum", whole: ["spectrum"], make: spectrum },
  { place: "levels", whole: ["levels"], make: levels },
  { place: "pad", part: ["xy"], when: not(hasInstruments), make: pad },
  { place: "pad", part: ["timbre"], when: hasInstruments, make: ring, key: instrumentNames },
  { place: "track", part: ["track/playing", "follow"], when: heard, make: track, key: heard },
  { place: "notes", part: ["chroma"], when: not(isPlayed), make: chroma, key: heard },
  { place: "notes", part: ["note/on", "note/off"], when: isPlayed, make: keyboard },
  { place: "transport", part: ["gate", "hold", "gain/normalized"], make: transport, key: isPlayed },
  { place: "instruments", part: ["timbre", "transfer"], when: hasInstruments, make: instruments, key: instrumentNames },
  { place: "faders", part: ["latents"], make: latents, key: (link, context) => [latentNames(link, context), heard(link, context)] },
  { place: "scenes", whole: ["scene"], make: scenes, key: (link, { root }) => choices(link, `${root}/scene`) },
  { place: "patches", part: ["patch"], make: patches, key: (link, { base }) => choices(link, `${base}/patch`) },
  { place: "points", part: ["point"], when: (link, context) => pointsOf(link, context).length > 0, make: points, key: pointsOf },
  { place: "snapshots", part: ["snapshot/stored"], make: snapshots },
  { place: "sound", part: ["pan"], make: sound, key: (link, { base }) => others(link, base) },
  { place: "midi", part: ["midi/learn", "midi/learned"], make: midi },
  { place: "status", whole: ["status"], make: status },
];

// Values that a widget of their own shows; every other one that the instrument has stands under Sound, by itself.
const ELSEWHERE =
  /^(latent|latents|chroma|xy|patch|gate|hold|gain|point|morph|snapshot|note|part|master|close|panic|scene|record|notify|sync|timetags|timbre|transfer|brightness|spread|follow|track|midi)(\/|$)/;

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
