// The pad: two axes of the latent space under one finger, over the map of what the decoder gives there.

import { hueOf } from "./colour.js";
import { canvas, make, soon } from "./dom.js";
import { clamp, drag } from "./drag.js";
import { relief } from "./map.js";

const STEPS = { ArrowLeft: [-0.02, 0], ArrowRight: [0.02, 0], ArrowDown: [0, -0.02], ArrowUp: [0, 0.02] };
const TRAIL_MS = 900;
const RETRY_MS = 2000;
const SETTLED_MS = 500; // another map is drawn once the other faders stand still

export function pad(link, { base, part, unsubscribe }) {
  const path = `${base}/xy`;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let at = [0.5, 0.5];
  let trail = [];
  let map = null;
  let picture = null;
  let name = "";
  let asked = 0;
  let latents = [];
  let drawn = ""; // where the other faders stood for the map that is shown
  let settling;

  const land = canvas((context, width, height) => {
    if (!picture) return;
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, width, height);
  });
  const sky = canvas((context, width, height) => {
    const spot = ([x, y]) => [x * width, (1 - y) * height];
    points(context, Object.entries(map?.points ?? {}).map(([label, place]) => [label, spot(place)]), width, height);
    follow(context, trail.map(([place, ms]) => [spot(place), ms]));
    cursor(context, spot(at), width, height);
  });
  const draw = soon(() => {
    sky.redraw();
    const now = performance.now();
    trail = trail.filter(([, ms]) => now - ms < TRAIL_MS);
    if (trail.length) draw();
  });
  const axes = [make("span.axis.x"), make("span.axis.y")];
  const legend = make("p.legend");
  const surface = make(
    "div.surface",
    { role: "slider", tabindex: "0", "aria-label": "pad", "aria-roledescription": "pad", "aria-valuenow": "50", "data-path": path },
    land,
    sky,
    ...axes,
  );

  const move = (x, y) => link.set(path, "ff", clamp(x), clamp(y));
  drag(surface, { move: ({ x, y }) => move(x, y), fine: () => ({ x: at[0], y: at[1] }) });
  surface.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    move(at[0] + step[0], at[1] + step[1]);
  });

  const say = () => {
    const [x, y] = map?.axes ?? ["x", "y"];
    surface.setAttribute("aria-label", `pad of ${x} and ${y}`);
    surface.setAttribute("aria-valuenow", Math.round(100 * at[0]));
    surface.setAttribute("aria-valuetext", `${x} ${at[0].toFixed(2)}, ${y} ${at[1].toFixed(2)}`);
    axes[0].textContent = `${x} →`;
    axes[1].textContent = `${y} →`;
  };

  // Where all faders but the pad's own stand, as finely as maps are drawn.
  const stand = (all = latents) => all.map((value, at) => (map?.neurons?.includes(at) ? "" : Math.round(value * (map?.steps ?? 1)))).join();

  const load = async () => {
    const mine = ++asked;
    const then = latents;
    let answer = null;
    try {
      const response = await fetch(`/page/map?part=${part}`, { cache: "no-store" });
      if (response.ok) answer = await response.json();
      else if (response.status === 503) setTimeout(() => mine === asked && load(), RETRY_MS);
    } catch {
      return; // the wire is cut: it comes back with the tree
    }
    if (mine !== asked) return;
    map = answer;
    drawn = stand(then);
    picture = answer?.brightness ? relief(answer, hueOf(name)) : null;
    legend.textContent = picture ? `height: brightness, ${hertz(answer.low_hz)} to ${hertz(answer.high_hz)} · colour: how clear the note is` : "";
    surface.classList.toggle("mapped", Boolean(picture));
    surface.dataset.map = `${name}: ${drawn}`; // what is shown, for who wants to know whether it is the one that was asked for
    say();
    land.redraw();
    draw();
  };

  unsubscribe.push(
    link.on(path, (...now) => {
      if (!still.matches) trail.push([at, performance.now()]);
      at = now;
      say();
      draw();
    }),
    link.on(`${base}/latents`, (...now) => {
      latents = now;
      clearTimeout(settling);
      settling = setTimeout(() => map && stand() !== drawn && load(), SETTLED_MS);
    }),
    link.on(`${base}/patch`, (now) => {
      if (now === name) return;
      name = now;
      load();
    }),
    () => asked++,
    () => clearTimeout(settling),
  );
  return make("section.pad", { "aria-label": "Pad" }, surface, legend);
}

const hertz = (value) => (value >= 1000 ? `${(value / 1000).toFixed(1)} kHz` : `${Math.round(value)} Hz`);

/** Draw the points; the name of one stands beside it where there is room, and is left out where there is none. */
function points(context, all, width, height) {
  const spots = all.map(([label, place]) => [label, clamp(place[0], 6, width - 6), clamp(place[1], 6, height - 6)]);
  const axes = [{ left: 0, right: 34, top: 0, bottom: 110 }, { left: width - 90, right: width, top: height - 36, bottom: height }];
  const dots = spots.map(([, x, y]) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }));
  const taken = [...axes, ...dots];
  context.font = "600 12px system-ui, sans-serif";
  context.lineJoin = "round";
  spots.forEach(([label, x, y]) => {
    const wide = context.measureText(label).width;
    const box = [[x + 8, y], [x - 8 - wide, y], [x - wide / 2, y - 15], [x - wide / 2, y + 15]]
      .map(([left, middle]) => ({ left, right: left + wide, top: middle - 8, bottom: middle + 8 }))
      .find((one) => inside(one, width, height) && !taken.some((other) => meets(one, other)));
    if (!box) return;
    taken.push(box);
    ink(context, 3, () => context.strokeText(label, box.left, box.top + 12), () => context.fillText(label, box.left, box.top + 12));
  });
  for (const [, x, y] of spots) {
    context.beginPath();
    context.arc(x, y, 3.5, 0, 7);
    ink(context, 2, () => context.stroke(), () => context.fill());
  }
}

const inside = (box, width, height) => box.left > 2 && box.right < width - 2 && box.top > 2 && box.bottom < height - 2;
const meets = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;

function ink(context, width, edge, face) {
  context.lineWidth = width;
  context.strokeStyle = "#000b";
  context.fillStyle = "#fff";
  edge();
  face();
}

function follow(context, trail) {
  const now = performance.now();
  for (let step = 1; step < trail.length; step++) {
    const [[from], [to, ms]] = [trail[step - 1], trail[step]];
    const age = (now - ms) / TRAIL_MS;
    if (age >= 1) continue;
    context.strokeStyle = `rgb(255 255 255 / ${0.5 * (1 - age) ** 2})`;
    context.lineWidth = 1 + 5 * (1 - age);
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
  }
}

function cursor(context, [x, y], width, height) {
  context.strokeStyle = "rgb(255 255 255 / .22)";
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, height);
  context.moveTo(0, y);
  context.lineTo(width, y);
  context.stroke();
  const glow = context.createRadialGradient(x, y, 2, x, y, 34);
  glow.addColorStop(0, "rgb(255 255 255 / .55)");
  glow.addColorStop(1, "rgb(255 255 255 / 0)");
  context.fillStyle = glow;
  context.fillRect(x - 34, y - 34, 68, 68);
  context.beginPath();
  context.arc(x, y, 11, 0, 7);
  context.strokeStyle = "#000c";
  context.lineWidth = 5;
  context.stroke();
  context.strokeStyle = "#fff";
  context.lineWidth = 2.5;
  context.stroke();
}
