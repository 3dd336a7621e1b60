// What is chosen by name: patches, scenes, points, snapshots, parts.

import { hueOf } from "./colour.js";
import { action, make, panel } from "./dom.js";
import { choice, fader } from "./fader.js";

const N_SNAPSHOTS = 16; // shown; OSC has more
const SETTLED_MS = 900; // by then the page has its shape, with the status that came
const MANY = 10; // points: they become smaller

/** Return buttons for names, of which the one that a path says is pressed. */
function names(link, path, all, choose, kind, unsubscribe) {
  const buttons = all.map((name, at) =>
    make(`button.${kind}`, { type: "button", "aria-pressed": "false", "data-name": name, onclick: () => choose(name, at) }, make("span", {}, name)),
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
  const choose = (name) => link.send(`${base}/patch`, "s", name);
  return panel("Patches", make("div.list", {}, ...names(link, `${base}/patch`, all, choose, "row", unsubscribe)));
}

export function scenes(link, { root, unsubscribe }) {
  const all = link.nodes.get(`${root}/scene`)?.RANGE?.[0].VALS ?? [];
  const field = make("input", { type: "text", placeholder: "name", "aria-label": "name of a new scene", maxlength: "60" });
  const store = (event) => {
    event.preventDefault();
    const name = field.value.trim();
    if (name) link.send(`${root}/scene/store`, "s", name);
    field.value = "";
  };
  const note = make("p.quiet.note", { "aria-live": "polite" });
  if (link.nodes.has(`${root}/scene/note`)) unsubscribe.push(link.on(`${root}/scene/note`, (now) => (note.textContent = now)));
  const steps = all.length
    ? make("div.head", {}, action(link, `${root}/scene/previous`, "‹", "chip", { "aria-label": "previous scene" }), action(link, `${root}/scene/next`, "Next scene ›"))
    : null;
  const buttons = names(link, `${root}/scene`, all, (name) => link.send(`${root}/scene`, "s", name), "row", unsubscribe);
  return panel(
    "Scenes",
    steps,
    note,
    make("div.list", {}, ...buttons),
    make("form.store", { onsubmit: store }, field, make("button.chip", { type: "submit", "aria-label": "store a scene" }, "Store")),
  );
}

export function points(link, { base, unsubscribe }) {
  const all = link.nodes.get(`${base}/point`)?.RANGE?.[0].VALS ?? [];
  const choose = (name) => link.send(`${base}/point`, "s", name);
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
    all.length ? make(`div.chips${all.length > MANY ? ".many" : ""}`, {}, ...names(link, `${base}/point`, all, choose, "chip", unsubscribe)) : make("p.quiet", {}, "This patch has no points."),
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
    make("button.slot", { type: "button", onclick: () => press(at + 1), "data-path": `${base}/snapshot/${at + 1}` }, String(at + 1)),
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
