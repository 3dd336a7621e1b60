// The twelve note classes, laid out as on a keyboard. Held together they sound together; what is let go last stays.

import { make } from "./dom.js";

export const CLASSES = ["C", "Cs", "D", "Ds", "E", "F", "Fs", "G", "Gs", "A", "As", "B"];
export const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const COLUMNS = [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13]; // of fourteen; each key is two wide

/** Return the keys of one octave, the black ones above the white ones. `press` and `release` are told the class, 0 to 11. */
export function octave(press, release, { label = (at) => NAMES[at], attributes = () => ({}) } = {}) {
  return CLASSES.map((name, at) => {
    const key = make(`button.key.${name.length > 1 ? "black" : "white"}`, { type: "button", ...attributes(at) }, label(at));
    key.style.gridColumn = `${COLUMNS[at]} / span 2`;
    let pointer = null;
    const over = (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      key.classList.remove("held");
      release(at, event);
    };
    key.addEventListener("pointerdown", (event) => {
      if (pointer !== null || event.button > 0) return;
      pointer = event.pointerId;
      key.setPointerCapture(pointer);
      key.classList.add("held");
      press(at, event);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) key.addEventListener(end, over);
    key.addEventListener("keydown", (event) => {
      if (event.repeat || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      press(at, event);
    });
    key.addEventListener("keyup", (event) => {
      if (event.key === "Enter" || event.key === " ") release(at, event);
    });
    return key;
  });
}

export function chroma(link, { base, unsubscribe }) {
  const held = new Set();
  const press = (at) => {
    held.add(at);
    if (held.size === 1) link.send(`${base}/chroma/${CLASSES[at]}`);
    else link.set(`${base}/chroma`, "f".repeat(12), ...CLASSES.map((_, each) => (held.has(each) ? 1 / held.size : 0)));
  };
  const keys = octave(press, (at) => held.delete(at), {
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
  return make("section.notes", { "aria-label": "Note classes" }, ...keys);
}
