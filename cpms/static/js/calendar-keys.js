// The calendar without a pointer: arrows walk slots and cards, Enter opens, m picks a card up, letters lead around.
import { carry, clock, columns, frame, isCovered, label, letGo, lift, measures, placeOf, putBack, say, theGrid, theSlot, within, STEP } from "./calendar-grid.js";
import { cancelDrag } from "./calendar-drag.js";

const ARROWS = { ArrowUp: [0, -STEP], ArrowDown: [0, STEP], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

let spot; // where the frame stands: {column index, minute}
let carried; // the card that m picked up, and where it is: {card, place}

const cardAt = (column, minute) => [...column.querySelectorAll(".ev")].find((card) => {
  const { start, minutes } = placeOf(card);
  return start <= minute && minute < start + minutes;
});

function stand(index, minute) {
  const all = columns();
  const { from, to } = measures();
  spot = { index: within(0, index, all.length - 1), minute: within(from, Math.floor(minute / STEP) * STEP, to - STEP) };
  const column = all[spot.index];
  const there = cardAt(column, spot.minute) ?? (theSlot() && frame({ column, minute: spot.minute }));
  there?.focus({ preventScroll: true });
  there?.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (theSlot() && there !== theSlot()) theSlot().hidden = true;
}

function walk([across, down]) {
  const all = columns();
  const card = document.activeElement.closest(".ev");
  if (!card) return stand((spot?.index ?? 0) + across, (spot?.minute ?? measures().from) + down);
  const { column, start, minutes } = placeOf(card);
  const index = all.indexOf(column);
  const beside = across && [...column.querySelectorAll(".ev")].filter((other) => {
    const place = placeOf(other);
    return place.start < start + minutes && start < place.start + place.minutes;
  });
  const next = beside && beside[beside.indexOf(card) + across];
  if (next) next.focus();
  else stand(index + across, down < 0 ? start - 1 : down > 0 ? start + minutes : start);
}

function pickUp(card) {
  if (!card || card.matches("[data-fixed], .pending") || !document.querySelector("form[data-move]")) return;
  carried = { card, place: placeOf(card) };
  lift(card);
  bring();
}

function bring() {
  const { card, place } = carried;
  carry(card, place);
  card.scrollIntoView({ block: "nearest", inline: "nearest" });
  say(`${label(place.column)} ${clock(place.start)}–${clock(place.start + place.minutes)}`);
}

// Arrows move the card, with Shift they move its end; Enter lets go, Escape puts it back.
function carryOn(event) {
  const { card, place } = carried;
  const { from, to } = measures();
  if (event.key in ARROWS) {
    const [across, down] = ARROWS[event.key];
    const all = columns();
    if (event.shiftKey) place.minutes = within(STEP, place.minutes + down, to - place.start);
    else {
      place.column = all[within(0, all.indexOf(place.column) + across, all.length - 1)];
      place.start = within(from, place.start + down, to - place.minutes);
    }
    bring();
  } else if (event.key === "Enter" || event.key === "m") {
    carried = undefined;
    letGo(card, place);
  } else if (event.key === "Escape") {
    carried = undefined;
    putBack(card);
  } else return;
  event.preventDefault();
}

function pressed(event) {
  if (!theGrid() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isCovered()) return;
  if (carried && !carried.card.isConnected) carried = undefined;
  if (carried) return carryOn(event);
  if (event.key === "Escape" && cancelDrag()) return event.preventDefault();
  if (event.target.closest("input, select, textarea, [contenteditable]")) return;
  const inGrid = event.target.closest("[data-calendar-scroll]");
  if (inGrid && event.key in ARROWS && !event.shiftKey) {
    walk(ARROWS[event.key]);
  } else if (inGrid && event.key === "m" && event.target.matches(".ev")) {
    pickUp(event.target);
  } else if (inGrid && event.key === "n" && event.target === theSlot()) {
    theSlot().click();
  } else {
    // Letters work where the calendar or nothing has the focus, so that they are in nobody's way.
    const link = event.target.closest("#calendar, body, main") && !event.shiftKey && document.querySelector(`#calendar [data-key="${CSS.escape(event.key)}"]`);
    if (!link) return;
    link.click();
  }
  event.preventDefault();
}

export function installKeys() {
  document.addEventListener("keydown", pressed);
  // After a new grid the frame stands where it stood.
  document.addEventListener("htmx:after:swap", () => {
    if (spot && document.activeElement === theSlot()) stand(spot.index, spot.minute);
  });
  document.addEventListener("focusout", (event) => { if (event.target === theSlot()) event.target.hidden = true; });
}

export const standAt = ({ column, minute }) => { spot = { index: columns().indexOf(column), minute }; };
