// The map of the latent plane as a picture: high land is bright sound, grey land is noise. Lit from the left, with lines of equal height.

import { oklch } from "./colour.js";

const SIZE = 288; // of the picture; it is scaled to the pad
const LINES = 12;
const RELIEF = 2.6;
const SHADES = 64;
const NIGHT = 285; // a hue

/** Return a canvas with the relief of a map as `/page/map` gives it. */
export function relief({ size, brightness, clarity }, hue) {
  const height = grow(new Float32Array(numbers(Uint16Array, brightness)), size, 65535);
  const clear = grow(new Float32Array(numbers(Uint8Array, clarity)), size, 255);
  const degree = spread(clear);
  const picture = new ImageData(SIZE, SIZE);
  const palette = tints(hue);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const at = y * SIZE + x;
      const right = height[y * SIZE + Math.min(x + 1, SIZE - 1)] - height[y * SIZE + Math.max(x - 1, 0)];
      const down = height[Math.min(y + 1, SIZE - 1) * SIZE + x] - height[Math.max(y - 1, 0) * SIZE + x];
      const steep = Math.hypot(right, down) / 2;
      const light = 1 + Math.max(-0.42, Math.min(0.42, ((-right - down) * SIZE * RELIEF) / 20));
      const along = height[at] * LINES;
      const away = Math.abs(along - Math.round(along)) / Math.max(steep * LINES, 1e-6); // in pixels from the next line
      const line = steep > 1e-5 && away < 0.9 ? 1 - 0.3 * (0.9 - away) : 1;
      const tint = palette[Math.round(degree(clear[at]) * 15)][Math.round(height[at] * (SHADES - 1))];
      for (let c = 0; c < 3; c++) picture.data[4 * at + c] = tint[c] * light * line;
      picture.data[4 * at + 3] = 255;
    }
  }
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}

/** Return what brings numbers to 0..1; those that hardly differ stay together. */
function spread(values) {
  const low = values.reduce((least, value) => Math.min(least, value), 1);
  const span = Math.max(values.reduce((most, value) => Math.max(most, value), 0) - low, 0.3);
  return (value) => Math.min((value - low) / span, 1);
}

function numbers(kind, base64) {
  return new kind(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer);
}

/** Return 16 degrees of clarity, each with shades from low to high: noise is grey, a clear note has colour. What is low lies towards night. */
function tints(hue) {
  const towards = ((NIGHT - hue + 540) % 360) - 180;
  const dark = hue + Math.sign(towards) * Math.min(Math.abs(towards), 80);
  const bright = hue - Math.sign(towards) * 32;
  return Array.from({ length: 16 }, (_, clarity) =>
    Array.from({ length: SHADES }, (_, shade) => {
      const high = shade / (SHADES - 1);
      const colourful = 0.02 + (0.135 * clarity) / 15;
      return oklch(0.23 + 0.63 * high, colourful * (0.3 + 0.8 * Math.sin(Math.PI * (0.12 + 0.7 * high))), dark + (bright - dark) * high);
    }),
  );
}

/** Return a square of numbers 0..1, smoothly enlarged (Catmull-Rom, one direction after the other), the first row below. */
function grow(values, size, top) {
  const wide = new Float32Array(size * SIZE);
  const out = new Float32Array(SIZE * SIZE);
  const weights = Array.from({ length: SIZE }, (_, at) => {
    const place = (at / (SIZE - 1)) * (size - 1);
    const first = Math.min(Math.floor(place), size - 2);
    return [first, place - first];
  });
  const between = (read, [first, t]) => {
    const [a, b, c, d] = [-1, 0, 1, 2].map((step) => read(Math.min(Math.max(first + step, 0), size - 1)));
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
  };
  for (let y = 0; y < size; y++) for (let x = 0; x < SIZE; x++) wide[y * SIZE + x] = between((at) => values[y * size + at], weights[x]);
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++) {
      const value = between((at) => wide[at * SIZE + x], weights[SIZE - 1 - y]) / top;
      out[y * SIZE + x] = Math.min(Math.max(value, 0), 1);
    }
  return out;
}
