// What is chosen by name or number: patches, points, snapshots.

import { hueOf } from "./colour.js";
import { make, panel } from "./dom.js";
import { choice, fader } from "./fader.js";

const N_SNAPSHOTS = 16; // shown; OSC has more
const SETTLED_MS = 900; // by then the page has its shape, with the status that came
const MANY = 10; // points: they become smaller

/** Return buttons for names, of which the one that a path says is pressed; `actionOf` gives the action that is the same as pressing one. */
export function names(link, path, all, kind, actionOf, unsubscribe) {
  const buttons = all.map((name, at) =>
    make(
      `button.${kind}`,
      { type: "button", "aria-pressed": "false", "data-name": name, "data-path": actionOf(name, at), onclick: () => link.send(path, "s", name) },
      make("span", {}, name),
    ),
  );
  buttons.forEach((button, at) => button.style.setProperty("--hue", hueOf(all[at])));
  unsubscribe.push(
    link.on(path, (now) => {
      buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(all[at] === now)));
      if (kind === "row") setTimeout(() => buttons[all.indexOf(now)]?.scrollIntoView({ block: "nearest" }), SETTLED_MS);
    }),
  );
  return buttons;
}

export function patches(link, { base, unsubscribe }) {
  const all = link.nodes.get(`${base}/patch`)?.RANGE?.[0].VALS ?? [];
  const actionOf = (_, at) => `${base}/patch/select/${at + 1}`;
  return panel("Patches", make("div.list", {}, ...names(link, `${base}/patch`, all, "row", actionOf, unsubscribe)));
}

export function points(link, { base, unsubscribe }) {
  const all = link.nodes.get(`${base}/point`)?.RANGE?.[0].VALS ?? [];
  const actionOf = (name) => `${base}/point/${name}`;
  const more =
    all.length > 1
      ? make(
          "div.journey",
          {},
          choice(link, `${base}/morph/from`, "journey from", { unsubscribe }),
          choice(link, `${base}/morph/to`, "journey to", { unsubscribe }),
          fader(link, `${base}/morph`, "journey", { unsubscribe }),
        )
      : null;
  return panel(
    "Points",
    make(`div.chips${all.length > MANY ? ".many" : ""}`, {}, ...names(link, `${base}/point`, all, "chip", actionOf, unsubscribe)),
    more,
    fader(link, `${base}/point/seconds`, "travel time", { unsubscribe }),
  );
}

export function snapshots(link, { base, unsubscribe }) {
  let storing = false;
  const store = make("button.chip.store", { type: "button", "aria-pressed": "false", "aria-label": "store a snapshot", title: "then a number keeps every value there", onclick: () => arm(!storing) }, "Store");
  const arm = (on) => {
    storing = on;
    store.setAttribute("aria-pressed", String(on));
    box.classList.toggle("storing", on);
  };
  const press = (number) => {
    link.send(`${base}/snapshot/${number}/${storing ? "store" : "recall"}`);
    arm(false);
  };
  const buttons = Array.from({ length: N_SNAPSHOTS }, (_, at) =>
    make("button.slot", { type: "button", onclick: () => press(at + 1), "data-path": `${base}/snapshot/${at + 1}/recall` }, String(at + 1)),
  );
  unsubscribe.push(
    link.on(`${base}/snapshot/stored`, (...stored) =>
      buttons.forEach((button, at) => {
        button.classList.toggle("stored", Boolean(stored[at]));
        button.setAttribute("aria-label", `snapshot ${at + 1}, ${stored[at] ? "stored" : "empty"}`);
      }),
    ),
  );
  const box = make("div.slots", {}, ...buttons);
  const section = panel("Snapshots", box, fader(link, `${base}/snapshot/seconds`, "travel time", { unsubscribe }));
  section.prepend(make("div.head", {}, section.firstChild, store));
  return section;
}
