// Fingers, pens and mice: each control follows one pointer, and as many controls as there are fingers move at once.

const FINE = 0.125; // with the shift key

/**
 * Call `start`, `move` and `end` with a place from 0 to 1 in both directions (y upwards), and the event.
 * With shift a mouse moves finely from where it is, if `fine` gives the place to go on from.
 */
export function drag(element, { start, move, end, fine }) {
  let pointer = null;
  let last = null;
  let at = null;

  const place = (event) => {
    const box = element.getBoundingClientRect();
    return { x: clamp((event.clientX - box.left) / box.width), y: clamp(1 - (event.clientY - box.top) / box.height), box };
  };

  element.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button > 0) return;
    pointer = event.pointerId;
    element.setPointerCapture(pointer);
    element.classList.add("touched"); // the outline is for those who come by key
    element.focus({ preventScroll: true });
    element.classList.add("held");
    last = event;
    at = event.shiftKey && fine ? fine() : place(event);
    start?.(at, event);
    if (!event.shiftKey || !fine) move?.(at, event);
    event.preventDefault();
  });

  element.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const now = place(event);
    if (event.shiftKey && fine) {
      at = {
        x: clamp(at.x + ((event.clientX - last.clientX) / now.box.width) * FINE),
        y: clamp(at.y - ((event.clientY - last.clientY) / now.box.height) * FINE),
      };
    } else at = now;
    last = event;
    move?.(at, event);
  });

  for (const name of ["keydown", "blur"]) element.addEventListener(name, () => element.classList.remove("touched"));

  const over = (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    element.classList.remove("held");
    end?.(at, event);
  };
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) element.addEventListener(name, over);
}

export const clamp = (value, low = 0, high = 1) => Math.min(Math.max(value, low), high);
