// The keys: twelve note classes for a drone, an octave of notes for a patch that is played by them. Every finger has its own.

import { make } from "./dom.js";
import { clamp } from "./drag.js";

export const CLASSES = ["C", "Cs", "D", "Ds", "E", "F", "Fs", "G", "Gs", "A", "As", "B"];
export const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const COLUMNS = [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13]; // of fourteen; each key is two wide
const SOFTEST = 0.35; // at the upper edge of a key; 1 at the lower
const [LOWEST, HIGHEST] = [0, 9]; // octaves; 4 begins with middle C
const PRESSED = 0.04; // of a key's height, before a finger that moves presses

/**
 * Return twelve keys, the black ones above the white ones. `press`, `move` and `release` are told the class, 0 to 11, and how far down the
 * key the finger is, 0 to 1; a finger that slides goes from key to key.
 */
function octave({ press, move, release, attributes }) {
  const keys = CLASSES.map((name, at) => {
    const key = make(`button.key.${name.length > 1 ? "black" : "white"}`, { type: "button", ...attributes(at) }, NAMES[at]);
    key.style.gridColumn = `${COLUMNS[at]} / span 2`;
    key.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      if (!event.repeat) begin(at, 0.5);
    });
    key.addEventListener("keyup", (event) => (event.key === "Enter" || event.key === " ") && end(at));
    key.addEventListener("blur", () => key.classList.contains("held") && !fingers.size && end(at));
    return key;
  });
  const fingers = new Map(); // pointer -> class

  const begin = (at, depth) => {
    keys[at].classList.add("held");
    press(at, depth);
  };
  const end = (at) => {
    keys[at].classList.remove("held");
    release(at);
  };
  const under = ({ clientX, clientY }) => {
    const at = keys.indexOf(document.elementFromPoint(clientX, clientY)?.closest(".key"));
    if (at < 0) return null;
    const box = keys[at].getBoundingClientRect();
    return { at, depth: clamp((clientY - box.top) / box.height) };
  };
  const box = make("div.octave", {}, ...keys);
  box.addEventListener("pointerdown", (event) => {
    const found = event.button > 0 ? null : under(event);
    if (!found || [...fingers.values()].includes(found.at)) return;
    box.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, found.at);
    begin(found.at, found.depth);
  });
  box.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (before === undefined) return;
    const found = under(event);
    if (!found) return;
    if (found.at === before) return void move?.(before, found.depth);
    if ([...fingers.values()].includes(found.at)) return;
    fingers.set(event.pointerId, found.at);
    begin(found.at, found.depth);
    end(before);
  });
  for (const over of ["pointerup", "pointercancel", "lostpointercapture"])
    box.addEventListener(over, (event) => {
      const at = fingers.get(event.pointerId);
      fingers.delete(event.pointerId);
      if (at !== undefined) end(at);
    });
  return { box, keys };
}

/** Note classes: what is held together sounds together, and what was let go last stays. */
export function chroma(link, { base, unsubscribe }) {
  const held = new Set();
  const press = (at) => {
    held.add(at);
    if (held.size === 1) link.send(`${base}/chroma/${CLASSES[at]}`);
    else link.set(`${base}/chroma`, "f".repeat(12), ...CLASSES.map((_, each) => (held.has(each) ? 1 / held.size : 0)));
  };
  const { box, keys } = octave({
    press,
    release: (at) => held.delete(at),
    attributes: (at) => ({ "aria-pressed": "false", "aria-label": `note ${NAMES[at]}`, "data-path": `${base}/chroma/${CLASSES[at]}` }),
  });
  unsubscribe.push(
    link.on(`${base}/chroma`, (...weights) => {
      const most = Math.max(...weights, 1e-9);
      keys.forEach((key, at) => {
        key.style.setProperty("--weight", weights[at] / most);
        key.classList.toggle("sounds", weights[at] / most > 0.5);
        key.setAttribute("aria-pressed", String(weights[at] > 0));
      });
    }),
  );
  return make("section.notes", { "aria-label": "Note classes" }, box);
}

/** Notes: the lower on a key, the louder; a finger that moves down on it presses the note harder. Keys light for notes played elsewhere, too. */
export function keyboard(link, { base, unsubscribe }) {
  let octaveNow = Number(sessionStorage.getItem("octave") ?? 4);
  const sounding = new Map(); // class -> { pitch, depth }
  let held = []; // pitches, whoever plays them
  const release = (at) => {
    const note = sounding.get(at);
    sounding.delete(at);
    if (note) link.send(`${base}/note/off`, "f", note.pitch);
  };
  const { box, keys } = octave({
    press: (at, depth) => {
      const note = { pitch: 12 * (octaveNow + 1) + at, depth };
      sounding.set(at, note);
      link.send(`${base}/note/on`, "ff", note.pitch, SOFTEST + (1 - SOFTEST) * depth);
    },
    move: (at, depth) => {
      const note = sounding.get(at);
      if (note && Math.abs(depth - note.depth) > PRESSED) link.send(`${base}/note/pressure`, "ff", note.pitch, clamp((note.depth = depth)));
    },
    release,
    attributes: (at) => ({ "aria-label": `play ${NAMES[at]}`, "data-class": at }),
  });
  const turn = (by) => {
    octaveNow = clamp(octaveNow + by, LOWEST, HIGHEST);
    sessionStorage.setItem("octave", octaveNow);
    keys[0].textContent = `C${octaveNow}`;
    show();
  };
  // What is held anywhere lights its key; in another octave than this one only dimly.
  const show = () =>
    keys.forEach((key, at) => {
      const here = held.includes(12 * (octaveNow + 1) + at);
      key.classList.toggle("sounds", here);
      key.style.setProperty("--weight", here ? 1 : held.some((pitch) => pitch % 12 === at) ? 0.35 : 0);
    });
  const step = (by, label, sign) => make("button.small.octave-step", { type: "button", "aria-label": label, onclick: () => turn(by) }, sign);
  const silence = () => document.visibilityState === "hidden" && [...sounding.keys()].forEach(release);
  document.addEventListener("visibilitychange", silence);
  unsubscribe.push(
    () => document.removeEventListener("visibilitychange", silence),
    () => [...sounding.keys()].forEach(release),
  );
  if (link.nodes.has(`${base}/note/held`)) {
    unsubscribe.push(
      link.on(`${base}/note/held`, (...pitches) => {
        held = pitches.map(Math.round);
        show();
      }),
    );
  }
  turn(0);
  return make("section.notes.played", { "aria-label": "Keyboard" }, step(-1, "octave down", "−"), box, step(1, "octave up", "+"));
}
