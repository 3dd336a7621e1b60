// Scenes of the set list: chosen, stepped through, stored; and what is kept of the one that was chosen.

import { action, make, panel } from "./dom.js";
import { names } from "./lists.js";

const LONGEST = { name: "60", note: "200" }; // letters

export function scenes(link, { root, unsubscribe }) {
  const path = `${root}/scene`;
  const all = link.nodes.get(path)?.RANGE?.[0].VALS ?? [];
  const note = make("p.quiet.note", { "aria-live": "polite" });
  if (link.nodes.has(`${path}/note`)) unsubscribe.push(link.on(`${path}/note`, (now) => (note.textContent = now)));
  const steps = all.length
    ? make("div.head", {}, action(link, `${path}/previous`, "‹", "chip", { "aria-label": "previous scene" }), action(link, `${path}/next`, "Next scene ›"))
    : null;
  const buttons = names(link, path, all, "row", (_, at) => `${path}/select/${at + 1}`, unsubscribe);
  return panel("Scenes", steps, note, make("div.list", {}, ...buttons), store(link, path), all.length ? change(link, path, unsubscribe) : null);
}

function store(link, path) {
  const field = make("input", { type: "text", placeholder: "name", "aria-label": "name of a new scene", maxlength: LONGEST.name });
  const keep = (event) => {
    event.preventDefault();
    const name = field.value.trim();
    if (name) link.send(`${path}/store`, "s", name);
    field.value = "";
  };
  return make("form.store", { onsubmit: keep }, field, make("button.chip", { type: "submit", "aria-label": "store a scene" }, "Store"));
}

/** Return what changes the scene that was chosen: its note, its time, and what it holds. */
function change(link, path, unsubscribe) {
  const note = make("input", { type: "text", "aria-label": "note of the scene", placeholder: "note to the performer", maxlength: LONGEST.note });
  const seconds = make("input", { type: "number", min: "0", max: "600", step: "0.1", "aria-label": "seconds in which the scene arrives" });
  note.addEventListener("change", () => link.send(`${path}/note`, "s", note.value));
  seconds.addEventListener("change", () => seconds.value && link.send(`${path}/seconds`, "f", Number(seconds.value)));
  const follow = (field, form) => (now) => {
    if (document.activeElement !== field) field.value = form(now);
  };
  const box = make(
    "details.change",
    {},
    make("summary", {}, "This scene"),
    note,
    make("label.choice", {}, make("span.name", {}, "arrives in"), seconds, "s"),
    action(link, `${path}/update`, "Keep what plays now", "chip"),
  );
  unsubscribe.push(
    link.on(path, (name) => (box.hidden = !name)),
    link.on(`${path}/note`, follow(note, String)),
    link.on(`${path}/seconds`, follow(seconds, (now) => String(Math.round(10 * now) / 10))),
  );
  return box;
}
