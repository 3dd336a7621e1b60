// How loud it is, and whether it sounds: gate or pedal, gain, master, recording, listening.

import { make } from "./dom.js";
import { fader } from "./fader.js";
import { listen } from "./listen.js";

let theListener;

/** Say whether a part's patch sounds while notes are held. */
export const isPlayed = (link, { base }) => link.values.get(`${base}/patch/mode`)?.[0] === "notes";

export function transport(link, context) {
  const { base, root, unsubscribe } = context;
  // What is played has no gate, but a pedal.
  const first = isPlayed(link, context) ? big(link, `${base}/hold`, ["Hold", "Held"], unsubscribe) : big(link, `${base}/gate`, ["Gate closed", "Gate open"], unsubscribe);
  theListener ??= listen(link); // what is heard goes on when another part is shown
  const buttons = make("div.buttons", {}, first, theListener, link.nodes.has(`${root}/record`) ? record(link, root, unsubscribe) : null);
  return make(
    "section.transport",
    { "aria-label": "Loudness" },
    buttons,
    fader(link, `${base}/gain`, "gain", { unsubscribe }),
    fader(link, `${root}/master/gain`, "master", { unsubscribe }),
  );
}

/** Return a large button for what is on or off, with what it says then. */
function big(link, path, [off, on], unsubscribe) {
  let isOn = false;
  const button = make("button.gate", { type: "button", "aria-pressed": "false", "data-path": path, onclick: () => link.set(path, "i", isOn ? 0 : 1) });
  unsubscribe.push(
    link.on(path, (now) => {
      isOn = now >= 0.5;
      button.setAttribute("aria-pressed", String(isOn));
      button.textContent = isOn ? on : off;
    }),
  );
  return button;
}

function record(link, root, unsubscribe) {
  let runs = false;
  const button = make("button.record", { type: "button", "aria-label": "record", "data-path": `${root}/record`, onclick: () => link.set(`${root}/record`, "i", runs ? 0 : 1) }, make("span.dot"));
  unsubscribe.push(
    link.on(`${root}/record`, (now) => {
      runs = Boolean(now);
      button.setAttribute("aria-pressed", String(runs));
    }),
    link.on(`${root}/record/file`, (file) => (button.title = file ? `records into ${file}` : "record what is heard")),
  );
  return button;
}
