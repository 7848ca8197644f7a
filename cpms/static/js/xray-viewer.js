// The viewer's page: stages, tools, buttons. Nothing here changes a file; what somebody saves goes through the page's forms.
import "./xray-report.js";
import { keys } from "./xray-keys.js";
import { notes } from "./xray-notes.js";
import { stage } from "./xray-stage.js";

const NEARER = 1.25;
const viewer = document.querySelector("[data-viewer]");
const words = JSON.parse(viewer.dataset.words);
const stages = [];
let current;
const shared = {
  words,
  tool: () => viewer.dataset.tool,
  moved: (from, apply) => { if (isLinked()) for (const other of stages) if (other !== from) apply(other); },
  touched: (which) => { current = which; for (const each of stages) each.element.toggleAttribute("data-current", each === which && stages.length > 1); },
  changed: say,
  drawn: (which, mark) => written.drawn(which, mark),
};
const isLinked = () => pressed("link");
const button = (name) => viewer.querySelector(`[data-do="${name}"]`);
const pressed = (name) => button(name)?.ariaPressed === "true";
const press = (name, isIt) => button(name)?.setAttribute("aria-pressed", String(isIt));
const number = (value, digits = 0) => value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: digits });

for (const element of viewer.querySelectorAll("[data-stage]")) if (element.querySelector("[data-film]")) stages.push(stage(element, shared));
current = stages[0];
const written = notes(viewer, stages);

function say(which) {
  const line = which.element.querySelector("[data-status]");
  const { tone, isReady, isAsItWas } = which.picture;
  const parts = [words.zoom.replace("{n}", number(which.view.scale * devicePixelRatio * 100))];
  const digits = tone.width < 10 ? 3 : 0;
  if (isReady && !isAsItWas) parts.push(words.tone.replace("{center}", number(tone.center, digits)).replace("{width}", number(tone.width, digits)));
  if (!isAsItWas || !which.isFlat) parts.push(words.changed);
  if (line) line.textContent = parts.join(" · ");
  which.element.toggleAttribute("data-changed", !(isAsItWas && which.isFlat));
  if (which !== current) return;
  press("invert", tone.invert);
  const isChanged = which.element.hasAttribute("data-changed");
  for (const name of ["reset", "keep-view"]) button(name)?.setAttribute("aria-disabled", String(!isChanged));
}

function take(tool) {
  for (const each of stages) { each.pen.cancel(); each.cross = null; each.draw(); }
  viewer.dataset.tool = tool;
  for (const each of viewer.querySelectorAll("[data-tool-of]")) each.setAttribute("aria-pressed", String(each.dataset.toolOf === tool));
}

function openPanel(isOpen) {
  viewer.dataset.panel = isOpen ? "open" : "closed";
  button("panel")?.setAttribute("aria-expanded", String(isOpen));
}

function both(act) {
  for (const each of isLinked() ? stages : [current]) act(each);
}

const commands = {
  "zoom-in": () => current.zoom(NEARER),
  "zoom-out": () => current.zoom(1 / NEARER),
  fit: () => both((each) => each.fit()),
  whole: () => both((each) => each.whole()),
  invert: () => { current.picture.set({ invert: !current.picture.tone.invert }); current.draw(); },
  turn: () => current.turn(1),
  "turn-back": () => current.turn(-1),
  mirror: () => current.mirror(),
  upside: () => current.upside(),
  reset: () => written.show(current, { ...current.picture.usual, turn: 0, flip: false }),
  marks: () => {
    const areShown = !pressed("marks");
    press("marks", areShown);
    for (const each of stages) { each.areMarksShown = areShown; each.draw(); }
  },
  link: () => press("link", !pressed("link")),
  save: () => written.save(),
  drop: () => written.drop(),
  "drop-last": () => written.dropLast(current),
  "keep-view": () => written.keepView(),
  panel: () => openPanel(button("panel")?.ariaExpanded !== "true"),
  "full-screen": () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
  help: () => document.getElementById("xray-keys").showModal(),
};

viewer.addEventListener("click", (event) => {
  const pressedOn = event.target.closest("[data-do], [data-tool-of], [data-view]");
  if (!pressedOn || pressedOn.ariaDisabled === "true" || !current) return;
  if (pressedOn.dataset.view) written.show(stages[0], JSON.parse(pressedOn.dataset.view));
  else if (pressedOn.dataset.toolOf) take(pressedOn.dataset.toolOf);
  else commands[pressedOn.dataset.do]?.();
});
document.addEventListener("fullscreenchange", () => press("full-screen", Boolean(document.fullscreenElement)));

async function show(which) {
  const { element, picture } = which;
  const saved = JSON.parse(element.dataset.view || "null");
  if (saved) which.place(saved);
  try {
    await picture.load();
    if (saved) picture.set(saved);
    which.draw();
    element.dataset.shown = picture.film.dataset.depth ? "depth" : "full";
  } catch {
    if (element.isConnected) element.querySelector("[data-trouble]").hidden = false;
  }
}

// On a narrow screen the picture has the room, until somebody opens the report.
if (viewer.dataset.panel === "auto") openPanel(matchMedia("(width >= 1000px)").matches);

if (current) {
  shared.touched(current);
  keys(viewer, {
    current: () => current,
    tool: shared.tool,
    cancel: () => { if (current.pen.mark) { current.pen.cancel(); current.draw(); } else take("move"); },
  });
  for (const each of stages) show(each);
  addEventListener("pagehide", () => { for (const each of stages) each.release(); });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}
