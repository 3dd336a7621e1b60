// Instruments of a note decoder: a fader for the weight of each, and the way from one of them to another.

import { make, panel } from "./dom.js";
import { choice, fader } from "./fader.js";

/** Return how many instruments a part's decoder knows. */
export function count(link, base) {
  let n = 0;
  while (link.nodes.has(`${base}/timbre/${n + 1}`)) n++;
  return n;
}

/** Return the names of the instruments, in their order. */
export const namesOf = (link, base) => Array.from({ length: count(link, base) }, (_, at) => link.values.get(`${base}/timbre/${at + 1}/name`)?.[0] || `${at + 1}`);

export function instruments(link, { base, unsubscribe }) {
  const within = (below, label) => fader(link, `${base}/${below}`, label, { within: true, unsubscribe });
  const weights = namesOf(link, base).map((name, at) => within(`timbre/${at + 1}`, name));
  const way = make(
    "div.way",
    {},
    choice(link, `${base}/transfer/from`, "transfer from", { unsubscribe }),
    within("transfer", "transfer"),
    choice(link, `${base}/transfer/to`, "transfer to", { unsubscribe }),
  );
  const each = make("div.pair", {}, within("brightness", "brightness"), within("spread", "spread"));
  return panel("Instruments", make("div.weights", {}, ...weights), way, each);
}
