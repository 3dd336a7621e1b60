// The latents: a fader for each; where a patch plays what is heard, beside it how far that moves the latent.

import { make, panel } from "./dom.js";
import { fader } from "./fader.js";
import { heardBy } from "./track.js";

const MOST_IN_A_ROW = 8;
const MOST_PAIRS = 4;

/** Return the names of a part's latents, in their order. */
export function latentNames(link, { base }) {
  const n = link.values.get(`${base}/latents`)?.length ?? 0;
  return Array.from({ length: n }, (_, at) => link.values.get(`${base}/latent/${at + 1}/name`)?.[0] || `latent ${at + 1}`);
}

export function latents(link, context) {
  const { base, unsubscribe } = context;
  const upright = { upright: true, unsubscribe };
  const isMoved = Boolean(heardBy(link, base)) && link.nodes.has(`${base}/latent/1/scale`);
  const faders = latentNames(link, context).map((name, at) => {
    const path = `${base}/latent/${at + 1}`;
    const own = fader(link, path, name, upright);
    if (!isMoved) return own;
    const scale = fader(link, `${path}/scale`, `${name} scale`, upright);
    scale.classList.add("scale");
    scale.querySelector(".name").textContent = "scale";
    return make("div.couple", { role: "group", "aria-label": name }, own, scale);
  });
  const inRow = Math.min(faders.length, isMoved ? MOST_PAIRS : MOST_IN_A_ROW);
  const kind = `${faders.length > 5 ? ".narrow" : ""}${faders.length > inRow ? ".many-rows" : ""}`;
  const section = panel("Faders", make(`div.row-of-faders${kind}`, {}, ...faders));
  section.style.setProperty("--n", inRow);
  return section;
}
