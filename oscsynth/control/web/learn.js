// MIDI: which control moves what, and how another one is learned: press, touch what shall be moved, move the control.

import { make, panel } from "./dom.js";

export function midi(link, { base, unsubscribe }) {
  let isArmed = false; // the next thing that has an address and is touched is meant; all else works as ever
  let isSwallowed = false; // the click that comes of that touch
  let waits = ""; // the address that waits for a control
  const button = make("button.chip.learn", { type: "button", "aria-pressed": "false", onclick: () => turn(!isArmed && !waits) }, "Learn");
  const said = make("p.quiet.said-here", { role: "status" });
  const list = make("ul.learned", {});

  const show = () => {
    button.setAttribute("aria-pressed", String(isArmed || Boolean(waits)));
    document.body.classList.toggle("learning", isArmed);
    said.textContent = isArmed ? "Now touch what a control shall move." : waits ? `Now move the control for ${waits}.` : "";
  };
  const turn = (on) => {
    if (waits) link.send(`${base}/midi/learn`, "s", "");
    isArmed = on;
    show();
  };
  const meant = (event) => {
    isSwallowed = false;
    const path = event.target.closest("[data-path]")?.dataset.path;
    if (!isArmed || !path || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    event.stopPropagation();
    isSwallowed = event.type === "pointerdown";
    turn(false);
    link.send(`${base}/midi/learn`, "s", path);
  };
  const swallow = (event) => {
    if (isSwallowed) event.stopPropagation();
    isSwallowed = false;
  };

  const EVENTS = [["pointerdown", meant], ["keydown", meant], ["click", swallow]];
  for (const [name, listener] of EVENTS) document.addEventListener(name, listener, true);
  unsubscribe.push(
    () => EVENTS.forEach(([name, listener]) => document.removeEventListener(name, listener, true)),
    () => document.body.classList.remove("learning"),
    link.on(`${base}/midi/learn`, (now) => {
      waits = now;
      show();
    }),
    link.on(`${base}/midi/learned`, (...pairs) => list.replaceChildren(...rows(link, base, pairs))),
  );
  const section = panel("MIDI", said, list);
  section.prepend(make("div.head", {}, section.firstChild, button));
  return section;
}

function rows(link, base, pairs) {
  const found = [];
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const [control, address] = [pairs[at], pairs[at + 1]];
    const forget = make("button.small", { type: "button", "aria-label": `forget control ${control}`, onclick: () => link.send(`${base}/midi/forget`, "s", address) }, "×");
    found.push(make("li", { "data-control": control }, make("span.value", {}, `CC ${control}`), make("span.name", {}, address), forget));
  }
  return found;
}
