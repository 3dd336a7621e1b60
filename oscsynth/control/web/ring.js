// The ring: a note decoder's instruments around one finger, those that sound alike beside each other. Near one it sounds alone, in the middle all do.

import { canvas, make, soon } from "./dom.js";
import { drag } from "./drag.js";
import { namesOf } from "./instruments.js";

const STEPS = { ArrowLeft: [-0.04, 0], ArrowRight: [0.04, 0], ArrowDown: [0, -0.04], ArrowUp: [0, 0.04] };
const POWER = 3; // of the distance, by which a weight falls
const ALONE = 0.1; // so near one it sounds alone
const LEAST = 0.03; // a weight below is none
const SAME = 0.02; // weights that differ by less are the finger's own
const RETRY_MS = 2000;
const ROOM = { x: 0.8, y: 0.8 }; // how far out the ring lies, half the surface is 1

/** Return the weights, the largest 1, of spots around a place; all are in a circle of 1 about [0, 0]. */
export function weigh([x, y], spots) {
  const away = spots.map((spot) => Math.hypot(x - spot[0], y - spot[1]));
  const nearest = Math.min(...away);
  if (nearest < ALONE) return away.map((each) => Number(each === nearest));
  return away.map((each) => (nearest / each) ** POWER).map((weight) => (weight < LEAST ? 0 : weight));
}

/** Return the place that some weights have: between the spots, nearer to the heavier. */
export function middle(weights, spots) {
  const total = weights.reduce((sum, weight) => sum + weight, 0) || 1;
  return [0, 1].map((axis) => spots.reduce((sum, spot, at) => sum + (weights[at] / total) * spot[axis], 0));
}

export function ring(link, { base, part, unsubscribe }) {
  const path = `${base}/timbre`;
  const names = namesOf(link, base);
  const n = names.length;
  let spots = circle(names.map((_, at) => at));
  let weights = names.map(() => 0);
  let at = [0, 0];
  const transfer = { from: -1, to: -1, share: 0 };

  const sky = canvas((context, width, height) => {
    const spot = ([x, y]) => [(0.5 + 0.5 * ROOM.x * x) * width, (0.5 - 0.5 * ROOM.y * y) * height];
    const accent = getComputedStyle(surface).getPropertyValue("--accent");
    const places = spots.map(spot);
    hoop(context, width, height);
    threads(context, spot(at), places, weights, accent);
    if (transfer.share > 0 && transfer.from >= 0 && transfer.to >= 0) bow(context, places[transfer.from], places[transfer.to], spot([0, 0]), transfer.share);
    places.forEach((place, each) => body(context, place, weights[each], accent));
    places.forEach((place, each) => title(context, names[each], place, spots[each], weights[each], width));
    finger(context, spot(at));
  });
  const surface = make("div.surface.ring", { role: "slider", tabindex: "0", "aria-label": "instruments", "aria-roledescription": "ring", "aria-valuenow": "0", "data-path": path }, sky);
  const draw = soon(() => sky.redraw());

  const move = (x, y) => {
    const far = Math.max(1, Math.hypot(x, y));
    at = [x / far, y / far];
    weights = weigh(at, spots);
    link.set(path, "f".repeat(n), ...weights);
  };
  const onto = ({ x, y }) => move((2 * x - 1) / ROOM.x, (2 * y - 1) / ROOM.y);
  drag(surface, { move: onto, fine: () => ({ x: 0.5 + 0.5 * ROOM.x * at[0], y: 0.5 + 0.5 * ROOM.y * at[1] }) });
  surface.addEventListener("keydown", (event) => {
    const step = event.key === "Home" ? [-at[0], -at[1]] : STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    move(at[0] + step[0], at[1] + step[1]);
  });

  const show = (...told) => {
    const most = Math.max(...told, 1e-9);
    const now = told.map((weight) => weight / most);
    const isOwn = weigh(at, spots).every((weight, each) => Math.abs(weight - now[each]) < SAME);
    weights = now;
    if (!isOwn) at = middle(now, spots);
    const heard = names.map((name, each) => [name, now[each]]).filter(([, weight]) => weight >= LEAST);
    surface.setAttribute("aria-valuenow", heard.length);
    surface.setAttribute("aria-valuetext", heard.map(([name, weight]) => `${name} ${weight.toFixed(2)}`).join(", "));
    draw();
  };

  let isGone = false;
  const arrange = async () => {
    const response = await fetch(`/page/map?part=${part}`, { cache: "no-store" }).catch(() => null);
    if (response?.status === 503) setTimeout(() => isGone || arrange(), RETRY_MS); // it plays nothing yet
    const order = response?.ok ? (await response.json()).ring : [];
    if (isGone || order?.length !== n) return;
    spots = circle(order.map((number) => number - 1));
    surface.classList.add("arranged");
    at = middle(weights, spots);
    draw();
  };
  arrange();
  unsubscribe.push(
    link.on(path, show),
    link.on(`${base}/transfer`, (now) => {
      transfer.share = now;
      draw();
    }),
    link.on(`${base}/transfer/from`, (name) => {
      transfer.from = names.indexOf(name);
      draw();
    }),
    link.on(`${base}/transfer/to`, (name) => {
      transfer.to = names.indexOf(name);
      draw();
    }),
    () => (isGone = true),
  );
  return make("section.pad", { "aria-label": "Ring of instruments" }, surface, make("p.legend", {}, "neighbours sound alike · near one it sounds alone, in the middle all do"));
}

/** Return where each of n things stands on a circle, given their order; the first is at the top. */
function circle(order) {
  const found = [];
  order.forEach((each, place) => (found[each] = [Math.sin((2 * Math.PI * place) / order.length), Math.cos((2 * Math.PI * place) / order.length)]));
  return found;
}

// ---- drawing

function hoop(context, width, height) {
  context.lineWidth = 1;
  context.strokeStyle = "rgb(255 255 255 / .1)";
  context.beginPath();
  context.ellipse(width / 2, height / 2, 0.5 * ROOM.x * width, 0.5 * ROOM.y * height, 0, 0, 7);
  context.stroke();
}

function threads(context, from, places, weights, accent) {
  context.strokeStyle = accent;
  places.forEach((place, each) => {
    if (!weights[each]) return;
    context.globalAlpha = 0.15 + 0.6 * weights[each];
    context.lineWidth = 1 + 5 * weights[each];
    line(context, from, place);
  });
  context.globalAlpha = 1;
}

function body(context, [x, y], weight, accent) {
  if (weight) {
    const glow = context.createRadialGradient(x, y, 2, x, y, 16 + 30 * weight);
    glow.addColorStop(0, accent);
    glow.addColorStop(1, "transparent");
    context.globalAlpha = 0.2 + 0.5 * weight;
    context.fillStyle = glow;
    disc(context, x, y, 16 + 30 * weight);
    context.globalAlpha = 1;
  }
  context.fillStyle = weight ? accent : "#39415a";
  disc(context, x, y, 5 + 11 * Math.sqrt(weight));
}

/** Write a name beside its spot, where no other is: within the ring at its top, bottom and sides, outside between them; narrower where room is short. */
function title(context, name, [x, y], [right, up], weight, width) {
  context.font = `${weight ? 650 : 500} 12.5px system-ui, sans-serif`;
  context.lineJoin = "round";
  context.lineWidth = 3.5;
  context.strokeStyle = "#0a0c11";
  context.fillStyle = weight ? "#fff" : "#a2acc0";
  const wide = context.measureText(name).width;
  const gap = 10 + 11 * Math.sqrt(weight);
  const isUpright = Math.abs(right) < 0.3;
  const isAfter = right > 0 === Math.abs(right) < 0.8;
  const room = isUpright ? wide : Math.min(wide, isAfter ? width - 5 - x - gap : x - gap - 5);
  const left = isUpright ? x - wide / 2 : isAfter ? x + gap : x - gap - room;
  const foot = y + 4.5 + (isUpright ? Math.sign(up) * (gap + 6) : 0);
  context.strokeText(name, left, foot, room);
  context.fillText(name, left, foot, room);
}

/** A bow from one instrument to the other through the middle; the part that was gone is bright. */
function bow(context, from, to, centre, share) {
  const through = [0, 1].map((axis) => 0.5 * centre[axis] + 0.25 * (from[axis] + to[axis]));
  const spot = (t) => [0, 1].map((axis) => (1 - t) ** 2 * from[axis] + 2 * t * (1 - t) * through[axis] + t * t * to[axis]);
  context.lineWidth = 3;
  for (const [start, end, ink] of [[share, 1, "rgb(255 255 255 / .18)"], [0, share, "rgb(255 255 255 / .85)"]]) {
    context.strokeStyle = ink;
    context.beginPath();
    for (let step = 0; step <= 24; step++) context.lineTo(...spot(start + ((end - start) * step) / 24));
    context.stroke();
  }
  context.fillStyle = "#fff";
  disc(context, ...spot(share), 5);
}

function finger(context, [x, y]) {
  for (const [width, ink] of [[5, "#000c"], [2.5, "#fff"]]) {
    context.lineWidth = width;
    context.strokeStyle = ink;
    context.beginPath();
    context.arc(x, y, 11, 0, 7);
    context.stroke();
  }
}

function line(context, from, to) {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function disc(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fill();
}
