// Faders: one for each value that has a position from 0 to 1 and a text beside it in the tree.

import { make } from "./dom.js";
import { clamp, drag } from "./drag.js";

const SHORT = { " semitones": " st", " octave": "" }; // what is written, where there is little room
const STEPS = { ArrowUp: 0.01, ArrowRight: 0.01, ArrowDown: -0.01, ArrowLeft: -0.01, PageUp: 0.1, PageDown: -0.1 };

/**
 * A fader for the value at a path. `upright` stands, otherwise it lies; `label` is its name, which with `within` is written on the fader itself.
 * The track is a slider for those who do not see it; the text is what the instrument itself says of the value.
 */
export function fader(link, path, label, { upright = false, within = false, unsubscribe = [] } = {}) {
  const position = `${path}/normalized`;
  const range = link.nodes.get(path)?.RANGE?.[0] ?? {};
  const centred = range.MIN === -range.MAX;
  const fill = make("span.fill");
  const knob = make("span.knob");
  const value = make("span.value", {});
  const name = make("span.name", {}, label.replace(/^latent /, "")); // the number alone, where a neuron has no name
  const track = make(
    "div.track",
    {
      role: "slider",
      tabindex: "0",
      "aria-label": label,
      "aria-orientation": upright ? "vertical" : "horizontal",
      "aria-valuemin": "0",
      "aria-valuemax": "100",
      "aria-valuenow": "0",
      "data-path": path,
      title: describe(link.nodes.get(path), label),
    },
    fill,
    knob,
    ...(within ? [name, value] : []),
  );
  let at = 0;
  const show = (now) => {
    at = now;
    const from = centred ? Math.min(now, 0.5) : 0;
    track.style.setProperty("--at", now);
    track.style.setProperty("--from", from);
    track.style.setProperty("--size", centred ? Math.abs(now - 0.5) : now);
    track.setAttribute("aria-valuenow", Math.round(100 * now));
  };
  const move = (to) => link.set(position, "f", clamp(to));
  drag(track, { move: ({ x, y }) => move(upright ? y : x), fine: () => ({ x: at, y: at }) });
  track.addEventListener("keydown", (event) => {
    const to = event.key === "Home" ? 0 : event.key === "End" ? 1 : at + (STEPS[event.key] ?? NaN);
    if (Number.isNaN(to)) return;
    event.preventDefault();
    move(to);
  });
  unsubscribe.push(
    link.on(position, show),
    link.on(`${path}/text`, (said) => {
      value.textContent = said.replace(/ (semitones|octave)$/, (unit) => SHORT[unit]);
      track.setAttribute("aria-valuetext", said);
    }),
  );
  const kind = within ? "within" : upright ? "upright" : "lying";
  return make(`div.fader.${kind}${centred ? ".centred" : ""}`, {}, ...(within ? [track] : [name, track, value]));
}

/** Return what the tree says of a value: what it does, and from where to where. */
function describe(node, label) {
  const range = node?.RANGE?.[0];
  const between = range && Number.isFinite(range.MAX) ? `, ${range.MIN} to ${range.MAX} ${node.UNIT?.[0] ?? ""}`.trimEnd() : "";
  return `${label}: ${node?.DESCRIPTION ?? ""}${between}`;
}

/** Whole numbers: one less, one more. */
export function stepper(link, path, label, { unsubscribe = [] } = {}) {
  const { MIN: low, MAX: high } = link.nodes.get(path).RANGE[0];
  let at = low;
  const shown = make("output.value", {}, "");
  const step = (by) => link.set(path, "i", clamp(at + by, low, high));
  unsubscribe.push(
    link.on(path, (now) => {
      at = now;
      shown.textContent = now;
    }),
  );
  return make(
    "div.stepper",
    { role: "group", "aria-label": label, title: describe(link.nodes.get(path), label), "data-path": path },
    make("span.name", {}, label),
    make("button.small", { type: "button", "aria-label": `${label}: one less`, onclick: () => step(-1) }, "−"),
    shown,
    make("button.small", { type: "button", "aria-label": `${label}: one more`, onclick: () => step(1) }, "+"),
  );
}

/** What is on or off. */
export function toggle(link, path, label, { unsubscribe = [] } = {}) {
  let on = 0;
  const button = make(
    "button.chip.toggle",
    { type: "button", "aria-pressed": "false", title: describe(link.nodes.get(path), label), "data-path": path, onclick: () => link.set(path, "i", on ? 0 : 1) },
    label,
  );
  unsubscribe.push(
    link.on(path, (now) => {
      on = now;
      button.setAttribute("aria-pressed", String(Boolean(now)));
    }),
  );
  return button;
}

/** A choice of names. */
export function choice(link, path, label, { unsubscribe = [] } = {}) {
  const names = link.nodes.get(path).RANGE[0].VALS;
  const select = make(
    "select",
    { "aria-label": label, "data-path": path, onchange: () => link.set(path, "s", select.value) },
    ...names.map((each) => make("option", { value: each }, each)),
  );
  unsubscribe.push(link.on(path, (now) => (select.value = now)));
  return select;
}
