// What is heard: spectrum and level, from what the engine says of its own output; and how it fares.

import { canvas, make, panel, soon } from "./dom.js";

const FLOOR_DB = -96;
const LOUDEST_DB = -18; // of one band
const FALL_DB = 2.2; // a picture
const CLIP_DB = -0.5;
const HOLD_MS = 1500;

export function spectrum(link, { root, unsubscribe }) {
  let target = [];
  let bands = [];
  const element = canvas((context, width, height) => {
    const n = bands.length;
    if (!n) return;
    const style = getComputedStyle(element);
    const spot = (at) => [(at / (n - 1)) * width, height - 2 - (height - 4) * Math.max(0, (bands[at] - FLOOR_DB) / (LOUDEST_DB - FLOOR_DB))];
    const line = new Path2D();
    line.moveTo(...spot(0));
    for (let at = 1; at < n; at++) {
      const [x0, y0] = spot(at - 1);
      const [x1, y1] = spot(at);
      line.quadraticCurveTo(x0, y0, (x0 + x1) / 2, (y0 + y1) / 2);
    }
    const face = new Path2D(line);
    face.lineTo(width, height);
    face.lineTo(0, height);
    const fill = context.createLinearGradient(0, 0, 0, height);
    fill.addColorStop(0, style.getPropertyValue("--accent"));
    fill.addColorStop(1, "transparent");
    context.fillStyle = fill;
    context.globalAlpha = 0.75;
    context.fill(face);
    context.globalAlpha = 1;
    context.strokeStyle = style.getPropertyValue("--accent");
    context.lineWidth = 1.5;
    context.stroke(line);
  });
  const draw = soon(() => {
    bands = target.map((now, at) => Math.max(now, (bands[at] ?? FLOOR_DB) - FALL_DB));
    element.redraw();
    if (bands.some((now, at) => now > target[at] && now > FLOOR_DB)) draw();
  });
  unsubscribe.push(
    link.on(`${root}/spectrum`, (...now) => {
      target = now;
      draw();
    }),
  );
  return make("div.spectrum", { role: "img", "aria-label": "spectrum of what is heard" }, element);
}

export function levels(link, { root, unsubscribe }) {
  const bars = ["left", "right"].map((side) =>
    make("div.level", { role: "meter", "aria-label": `level ${side}`, "aria-valuemin": "-72", "aria-valuemax": "0", "aria-valuenow": "-72" }, make("span.fill"), make("span.peak")),
  );
  const said = make("span.value", {}, "silent");
  const peaks = [0, 0].map(() => ({ db: -Infinity, until: 0 }));
  let levels = [-Infinity, -Infinity];
  let timer;
  const show = () => {
    const now = performance.now();
    levels.forEach((db, at) => {
      const peak = peaks[at];
      if (db >= peak.db || now >= peak.until) Object.assign(peak, { db, until: now + HOLD_MS });
      bars[at].style.setProperty("--at", Math.max(0, 1 + db / 72));
      bars[at].style.setProperty("--peak", Math.max(0, 1 + peak.db / 72));
      bars[at].classList.toggle("clips", peak.db > CLIP_DB);
      bars[at].setAttribute("aria-valuenow", Math.round(Math.max(db, -72)));
    });
    const top = Math.max(peaks[0].db, peaks[1].db);
    said.textContent = top > -72 ? `${top.toFixed(1).replace("-", "−")} dB` : "silent";
    clearTimeout(timer);
    if (peaks.some((peak, at) => peak.db > levels[at])) timer = setTimeout(show, HOLD_MS); // when nothing more comes
  };
  unsubscribe.push(
    link.on(`${root}/levels`, (...dbs) => {
      levels = dbs;
      show();
    }),
    () => clearTimeout(timer),
  );
  return make("div.levels", {}, ...bars, said);
}

// Of /status, in this order: what it is called here, and how it is shown.
const FIGURES = [
  ["load", "load", (value) => `${Math.round(100 * value)} %`],
  ["latency_ms", "latency", (value) => `${value.toFixed(1)} ms`],
  ["underruns", "underruns"],
  ["late_blocks", "late blocks"],
  ["faults", "faults"],
  ["sounding", "sounding parts"],
  ["voices", "voices"],
  ["shed", "notes shed"],
  ["clients", "OSC clients"],
];

export function status(link, { root, unsubscribe }) {
  const list = make("dl.figures");
  const shown = new Map();
  const show = (key, label, value) => {
    if (!shown.has(key)) {
      const figure = make("dd");
      shown.set(key, figure);
      list.append(make("div", { "data-figure": key }, make("dt", {}, label), figure));
    }
    shown.get(key).textContent = value;
  };
  const bar = make("div.load", { role: "meter", "aria-label": "load of the engine", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" }, make("span.fill"));
  unsubscribe.push(
    link.on(`${root}/status`, (...pairs) => {
      const figures = new Map();
      for (let at = 0; at + 1 < pairs.length; at += 2) figures.set(pairs[at], pairs[at + 1]);
      for (const [key, label, form = String] of FIGURES) if (figures.has(key)) show(key, label, form(figures.get(key)));
      if (!Number.isNaN(link.roundTripMs)) show("trip", "round trip", `${link.roundTripMs.toFixed(0)} ms`);
      const load = figures.get("load") ?? 0;
      bar.style.setProperty("--at", Math.min(load, 1));
      bar.classList.toggle("clips", load > 0.8);
      bar.setAttribute("aria-valuenow", Math.round(100 * load));
    }),
    link.on(`${root}/version`, (version) => show("version", "oscsynth", version)),
  );
  return panel("Status", bar, list);
}
