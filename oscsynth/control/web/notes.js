// The keys: twelve note classes for a drone, an octave of notes for a patch that is played by them. Every finger has its own.

import { make } from "./dom.js";
import { clamp } from "./drag.js";
import { heardBy } from "./track.js";

export const CLASSES = ["C", "Cs", "D", "Ds", "E", "F", "Fs", "G", "Gs", "A", "As", "B"];
export const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const COLUMNS = [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13]; // of fourteen; each key is two wide
const SOFTEST = 0.35; // at the upper edge of a key; 1 at the lower
const [LOWEST, HIGHEST] = [0, 9]; // octaves; 4 begins with middle C
const PRESSED = 0.04; // of a key's height, before a finger that moves presses

/**
 * Return twelve keys, the black ones above the white ones. `press`, `move` and `release` are told the class, 0 to 11, and how far down the
 * key the finger is, 0 to 1; `press` also whether shift is held. A finger that slides goes from key to key.
 */
function octave({ press, move, release, attributes }) {
  const keys = CLASSES.map((name, at) => {
    const key = make(`button.key.${name.length > 1 ? "black" : "white"}`, { type: "button", ...attributes(at) }, NAMES[at]);
    key.style.gridColumn = `${COLUMNS[at]} / span 2`;
    key.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      if (!event.repeat) begin(at, 0.5, event.shiftKey);
    });
    key.addEventListener("keyup", (event) => (event.key === "Enter" || event.key === " ") && end(at));
    key.addEventListener("blur", () => key.classList.contains("held") && !fingers.size && end(at));
    return key;
  });
  const fingers = new Map(); // pointer -> class

  const begin = (at, depth, isAdded = false) => {
    keys[at].classList.add("held");
    press(at, depth, isAdded);
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
    begin(found.at, found.depth, event.shiftKey);
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

/** Return how much a key counts that is touched so far down. */
const heft = (depth) => SOFTEST + (1 - SOFTEST) * depth;

/**
 * Note classes: what is held together sounds together, the lower on its key the stronger, and what was let go last stays. Shift adds a class to
 * those that sound, or takes it out: so a mouse and the keyboard of a computer have chords, too.
 */
export function chroma(link, { base, unsubscribe }) {
  const held = new Map(); // class -> weight
  let sounding = []; // weights that stand
  const say = (weights) => {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (total > 0) link.set(`${base}/chroma`, "f".repeat(12), ...weights.map((weight) => weight / total));
  };
  const together = () => say(CLASSES.map((_, each) => held.get(each) ?? 0));
  const press = (at, depth, isAdded) => {
    if (isAdded) {
      const most = Math.max(...sounding);
      return say(sounding.map((weight, each) => (each !== at ? weight : weight > 0 ? 0 : most)));
    }
    held.set(at, heft(depth));
    if (held.size === 1) link.send(`${base}/chroma/${CLASSES[at]}`);
    else together();
  };
  const { box, keys } = octave({
    press,
    move: (at, depth) => {
      if (held.size < 2 || Math.abs(heft(depth) - held.get(at)) < PRESSED) return;
      held.set(at, heft(depth));
      together();
    },
    release: (at) => held.delete(at),
    attributes: (at) => ({ "aria-pressed": "false", "aria-label": `note ${NAMES[at]}`, "data-path": `${base}/chroma/${CLASSES[at]}` }),
  });
  unsubscribe.push(
    link.on(`${base}/chroma`, (...weights) => {
      sounding = weights;
      const most = Math.max(...weights, 1e-9);
      keys.forEach((key, at) => {
        key.style.setProperty("--weight", weights[at] / most);
        key.classList.toggle("sounds", weights[at] / most > 0.5);
        key.setAttribute("aria-pressed", String(weights[at] > 0));
      });
    }),
  );
  const follow = `${base}/follow`; // then the notes are those that are heard
  if (heardBy(link, base) && link.nodes.has(follow)) unsubscribe.push(link.on(follow, (now) => box.classList.toggle("idle", Boolean(now))));
  const steps = registers(link, base, keys[0], unsubscribe);
  return make(`section.notes${steps ? ".stepped" : ""}`, { "aria-label": "Note classes" }, steps?.[0], box, steps?.[1]);
}

/** Return the buttons for the octave of a drone, lower and higher; its number stands on the first key. */
function registers(link, base, first, unsubscribe) {
  const path = `${base}/register`;
  if (!link.nodes.has(path)) return null;
  const { MIN: low, MAX: high } = link.nodes.get(path).RANGE[0];
  let now = 4;
  unsubscribe.push(
    link.on(path, (octave) => {
      now = octave;
      first.textContent = Number.isInteger(octave) ? `C${octave}` : "C";
    }),
  );
  return octaveSteps((by) => link.set(path, "f", clamp(Math.round(now) + by, low, high)));
}

const octaveSteps = (turn) =>
  [
    [-1, "octave down", "−"],
    [1, "octave up", "+"],
  ].map(([by, label, sign]) => make("button.small.octave-step", { type: "button", "aria-label": label, onclick: () => turn(by) }, sign));

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
      link.send(`${base}/note/on`, "ff", note.pitch, heft(depth));
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
  const [down, up] = octaveSteps(turn);
  return make("section.notes.stepped.played", { "aria-label": "Keyboard" }, down, box, up);
}
