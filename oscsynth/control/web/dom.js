// Making elements. Text is always set as text: names come from files that anybody may have written.

/** Return an element: `make("button.chip", { "aria-pressed": "false", onclick }, "text", child)`. */
export function make(what, attributes = {}, ...children) {
  const [name, ...classes] = what.split(".");
  const element = document.createElement(name || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const panel = (title, ...children) => make("section.panel", { "aria-label": title }, make("h2", {}, title), ...children.filter(Boolean));

/** A button that fires an action. */
export const action = (link, path, label, kind = "chip", attributes = {}) =>
  make(`button.${kind}`, { type: "button", onclick: () => link.send(path), "data-path": path, ...attributes }, label);

/** A canvas that is as sharp as the screen; `draw(context, width, height)` is called with its size in CSS pixels, at once and at each new size. */
export function canvas(draw, attributes = {}) {
  const element = make("canvas", { "aria-hidden": "true", ...attributes });
  const context = element.getContext("2d");
  element.redraw = () => {
    if (element.width < 2) return;
    const sharp = element.width / element.clientWidth;
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, element.clientWidth, element.clientHeight);
    draw(context, element.clientWidth, element.clientHeight);
  };
  new ResizeObserver(() => {
    const sharp = Math.min(devicePixelRatio || 1, 3);
    const [width, height] = [element.clientWidth, element.clientHeight].map((size) => Math.round(size * sharp));
    if (!width || !height || (width === element.width && height === element.height)) return;
    Object.assign(element, { width, height });
    element.redraw();
  }).observe(element);
  return element;
}

/** Return a function that calls another once before the next picture, however often it is called. */
export function soon(call) {
  let waits = false;
  return () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      call();
    });
  };
}
