// The page: puts the table of widgets where index.html has a place for them, for the part that is being played.

import { hueOf } from "./colour.js";
import { make } from "./dom.js";
import { Link } from "./link.js";
import { WIDGETS } from "./widgets.js";

const SAID_MS = 6000;
const MAX_PARTS = 8;

const link = new Link();
const place = (name) => document.querySelector(`[data-place=${name}]`);
const standing = new Map(); // widget -> { key, element, unsubscribe }
let part = Number(sessionStorage.getItem("part")) || 1;
let stopHeader = [];

const base = () => (part === 1 ? link.root : `${link.root}/part/${part}`);

// ---- widgets

function build() {
  if (part > 1 && !link.nodes.has(base())) part = 1;
  for (const widget of WIDGETS) {
    const context = { base: base(), root: link.root, part, unsubscribe: [] };
    const is = (widget.part ?? []).every((below) => link.nodes.has(`${context.base}/${below}`));
    const whole = (widget.whole ?? []).every((below) => link.nodes.has(`${link.root}/${below}`));
    const there = is && whole && (widget.when?.(link, context) ?? true);
    const key = there ? JSON.stringify([widget.part ? context.base : "", widget.key?.(link, context)]) : "";
    const before = standing.get(widget);
    if (before?.key === key || (!before && !there)) continue;
    before?.unsubscribe.forEach((stop) => stop());
    before?.element.remove();
    standing.delete(widget);
    if (!there) continue;
    const element = widget.make(link, context);
    place(widget.place).append(element);
    standing.set(widget, { key, element, unsubscribe: context.unsubscribe });
  }
  showTabs();
  header();
}

// ---- above: what plays, which part, panic

function header() {
  stopHeader.forEach((stop) => stop());
  const name = place("name");
  stopHeader = [
    link.on(`${base()}/patch`, (now) => {
      name.textContent = now || "no patch";
      document.documentElement.style.setProperty("--hue", hueOf(now));
      document.title = now ? `${now} · oscsynth` : "oscsynth";
    }),
  ];
  place("previous").onclick = () => link.send(`${base()}/patch/previous`);
  place("next").onclick = () => link.send(`${base()}/patch/next`);
  place("panic").onclick = () => link.send(`${link.root}/panic`);
  parts();
}

function parts() {
  const numbers = [1, ...(link.below.get(`${link.root}/part`) ?? []).map(Number).filter((number) => number > 1)];
  const free = Array.from({ length: MAX_PARTS }, (_, at) => at + 1).find((number) => !numbers.includes(number));
  const chip = (number) =>
    make("button.chip", { type: "button", "aria-pressed": String(number === part), "aria-label": `part ${number}`, onclick: () => turn(number) }, String(number));
  const add = free && make("button.chip", { type: "button", "aria-label": "add a part", onclick: () => addPart(free) }, "+");
  const close = part > 1 && make("button.chip", { type: "button", "aria-label": `close part ${part}`, onclick: () => link.send(`${base()}/close`) }, "×");
  place("parts").replaceChildren(...(numbers.length > 1 ? numbers.map(chip) : []), ...[add, close].filter(Boolean));
}

function addPart(number) {
  const [patch] = link.values.get(`${base()}/patch`) ?? [""];
  turn(number); // stands still until it is there
  link.send(`${link.root}/part/${number}/patch`, "s", patch);
}

function turn(number) {
  part = number;
  sessionStorage.setItem("part", number);
  if (number === 1 || link.nodes.has(base())) build();
}

// ---- tabs, where the screen is narrow

const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

/** Show the tabs of panels that hold something; who looked at the first one looks at the first one still. */
function showTabs() {
  const chosen = tabs.find((tab) => tab.getAttribute("aria-selected") === "true");
  const wasFirst = chosen === tabs.find((tab) => !tab.hidden);
  for (const tab of tabs) tab.hidden = !panelOf(tab).querySelector("section");
  if (wasFirst || chosen.hidden) choose(tabs.find((tab) => !tab.hidden) ?? tabs[0]);
}

function choose(tab) {
  for (const each of document.querySelectorAll("[role=tab]")) {
    const is = each === tab;
    each.setAttribute("aria-selected", String(is));
    each.tabIndex = is ? 0 : -1;
    panelOf(each).classList.toggle("chosen", is);
  }
  for (const row of panelOf(tab).querySelectorAll('.row[aria-pressed="true"]')) row.scrollIntoView({ block: "nearest" });
}

const tabs = [...document.querySelectorAll("[role=tab]")];
for (const tab of tabs) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const there = tabs.filter((each) => !each.hidden);
    const next = there[(there.indexOf(tab) + step + there.length) % there.length];
    choose(next);
    next.focus();
  });
}
choose(tabs[0]);

// ---- what is said

let silence;
function say(sentence, lasts = false) {
  const box = place("said");
  box.textContent = sentence;
  box.classList.toggle("shown", Boolean(sentence));
  clearTimeout(silence);
  if (!lasts) silence = setTimeout(() => say("", true), SAID_MS);
}

link.addEventListener("tree", build);
link.addEventListener("state", ({ detail: isOpen }) => {
  document.body.classList.toggle("lost", !isOpen);
  place("link").textContent = isOpen ? "connected" : "no connection";
  if (isOpen) say(document.body.dataset.lost ? "Connected again." : "");
  else say("The connection is lost: trying again. What sounds goes on.", true);
  if (!isOpen) document.body.dataset.lost = "yes";
});
link.addEventListener("news", ({ detail: { path, values } }) => {
  if (path === `${link.root}/fail`) say(`${values[0]} ${values[1]}`.trim());
});

// A long press is no menu here, and two quick taps no magnifying glass.
addEventListener("contextmenu", (event) => event.target.closest("input") ?? event.preventDefault());

export { link };
