// Cut and copy: x and c take a card up, a tap on a free time puts it down, Escape lets it go.
// What is in the hand is known to the server alone; here only the strip that says so is read.
import { find, on } from "./calendar-drag.js";

const inHand = () => find("#clipboard[data-event]");

export function putDown({ day, at, chair = "", provider = "" }) {
  const strip = inHand();
  const { event, version, start, minutes, chair: room, to_provider: to, copied } = find("form[data-move]").elements;
  event.value = strip.dataset.event;
  version.value = strip.dataset.v;
  start.value = `${day}T${at}`;
  minutes.value = strip.dataset.minutes;
  room.value = chair;
  to.value = provider;
  copied.value = strip.dataset.held === "copy" ? "1" : "";
  event.form.requestSubmit();
}

export function takeUp(card, key) {
  const form = find("form[data-take-up]");
  if (!form) return;
  form.elements.event.value = card.id.slice(1);
  form.elements.held.value = key === "x" ? "cut" : "copy";
  form.requestSubmit();
}

// The card that was cut looks like it.
export function mark() {
  const strip = inHand();
  for (const card of document.querySelectorAll("#calendar .cut")) card.classList.remove("cut");
  if (strip?.dataset.held === "cut") find(`#e${strip.dataset.event}`)?.classList.add("cut");
}
on("htmx:after:swap", mark);
