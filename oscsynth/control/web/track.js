// What a patch in resynthesis hears: its track, played, stopped and moved, or the live input; and whose notes it plays.

import { make } from "./dom.js";
import { fader, toggle } from "./fader.js";

/** Return what a part hears: the name of a track, "live", or nothing. */
export const heardBy = (link, base) => link.values.get(`${base}/track/name`)?.[0] ?? "";

export function track(link, { base, unsubscribe }) {
  const name = heardBy(link, base);
  const follow = toggle(link, `${base}/follow`, "follow", { unsubscribe });
  if (name === "live") return make("section.strip.live", { "aria-label": "Input" }, make("p.input", {}, make("span.dot"), "live input"), follow);
  const position = fader(link, `${base}/track/position`, name.replace(/\.[^.]+$/, ""), { within: true, unsubscribe });
  const start = make("button.sign.start", { type: "button", "aria-label": "to the beginning of the track", onclick: () => link.send(`${base}/track/position`, "f", 0) });
  const loop = toggle(link, `${base}/track/loop`, "loop", { unsubscribe });
  return make("section.strip", { "aria-label": "Track" }, start, play(link, base, unsubscribe), position, loop, follow);
}

function play(link, base, unsubscribe) {
  let isOn = false;
  let isOver = false; // it lies at its end, and begins anew when it is played
  const plays = () => isOn && !isOver;
  const button = make("button.sign.play", { type: "button", "data-path": `${base}/track/playing`, onclick: () => link.send(`${base}/track/${plays() ? "stop" : "play"}`) });
  const show = () => {
    button.setAttribute("aria-label", plays() ? "stop the track" : "play the track");
    button.setAttribute("aria-pressed", String(plays()));
  };
  show();
  unsubscribe.push(
    link.on(`${base}/track/playing`, (now) => {
      isOn = Boolean(now);
      show();
    }),
    link.on(`${base}/track/position/normalized`, (now) => {
      if (isOver === now >= 1) return;
      isOver = now >= 1;
      show();
    }),
  );
  return button;
}
