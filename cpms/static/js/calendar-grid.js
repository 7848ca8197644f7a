// Where things lie on the grid, and how a card is lifted, carried and let go. What is in hand is said by the card's classes:
// "lifted" follows the finger or the arrows, "held" was lifted by a long press and waits, "pending" waits for the server.
export const STEP = 15;
export const theGrid = () => document.getElementById("week-grid");
export const theScroller = () => document.querySelector("[data-calendar-scroll]");
export const theSlot = () => document.querySelector("[data-slot]");
export const columns = () => [...theGrid().querySelectorAll("[data-day]")];
export const inHand = () => theGrid()?.querySelector(".lifted, .held, .pending");
export const isCovered = () => document.querySelector("dialog:modal, :popover-open");

export const clock = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
export const within = (low, value, high) => Math.max(low, Math.min(value, high));
export const snap = (minute, fine) => Math.round(minute / (fine ? 5 : STEP)) * (fine ? 5 : STEP);
export const label = (column) => column.querySelector("h2").textContent.trim();

export function say(words) {
  document.querySelector("[data-calendar-says]").textContent = words;
}

// The grid's measures. Read at each use: columns change their width with what is in them.
export function measures() {
  const { from, to } = theGrid().dataset;
  const height = columns()[0].lastElementChild.offsetHeight;
  return { from: Number(from), to: Number(to), minute: height / (to - from) };
}

export function placeOf(card) {
  const [, hour, minute, minutes] = /\bt(\d\d)(\d\d) h(\d+)/.exec(card.className);
  return { column: card.closest("[data-day]"), start: hour * 60 + Number(minute), minutes: Number(minutes) };
}

// The column under a point and the minute there; nothing outside the grid, or under the heads and the hours.
export function spotAt(x, y) {
  const box = theScroller().getBoundingClientRect();
  const { from, minute } = measures();
  for (const column of columns()) {
    const area = column.lastElementChild.getBoundingClientRect();
    if (x < area.left || x >= area.right || x < box.left || x > box.right || y < box.top || y > box.bottom) continue;
    return { column, minute: from + (y - area.top) / minute };
  }
}

export function lift(card) {
  card.classList.add("lifted");
}

// Show the card where it would go, by a transform alone; a new length changes its own height and nothing else.
export function carry(card, place) {
  const home = placeOf(card);
  const { minute } = measures();
  const across = place.column.getBoundingClientRect().left - home.column.getBoundingClientRect().left;
  card.style.transform = `translate(${across}px, ${(place.start - home.start) * minute}px)`;
  card.style.height = place.minutes === home.minutes ? "" : `${place.minutes * minute - 1}px`;
  card.dataset.at = `${clock(place.start)}–${clock(place.start + place.minutes)}`;
}

export function putBack(card) {
  if (!card) return;
  card.classList.remove("lifted", "held", "pending");
  card.removeAttribute("style");
  card.removeAttribute("data-at");
}

// Ask the server. The card stays where it was let go until the true grid comes back.
export function letGo(card, place) {
  const home = placeOf(card);
  if (!place || (place.column === home.column && place.start === home.start && place.minutes === home.minutes)) {
    putBack(card);
    return;
  }
  carry(card, place);
  card.classList.remove("lifted", "held");
  card.classList.add("pending");
  const form = document.querySelector("form[data-move]");
  form.elements.event.value = card.id.slice(1);
  form.elements.version.value = card.dataset.v;
  form.elements.start.value = `${place.column.dataset.day}T${clock(place.start)}`;
  form.elements.minutes.value = place.minutes;
  form.elements.chair.value = place.column.dataset.chair ?? "";
  form.requestSubmit();
}

// The address of a new entry in an empty slot.
export function newAt({ column, minute }) {
  const url = new URL(theGrid().dataset.new, location.href);
  url.searchParams.set("start", `${column.dataset.day}T${clock(minute)}`);
  if (column.dataset.chair) url.searchParams.set("chair", column.dataset.chair);
  return url.pathname + url.search;
}

// The frame around a free quarter of an hour, for the pointer and for the keys.
export function frame({ column, minute }) {
  const slot = theSlot();
  const area = column.lastElementChild;
  const { from, minute: high } = measures();
  slot.hidden = false;
  slot.style.transform = `translate(${column.offsetLeft}px, ${area.offsetTop + (minute - from) * high}px)`;
  slot.style.width = `${column.offsetWidth}px`;
  slot.style.height = `${STEP * high}px`;
  slot.dataset.at = clock(minute);
  slot.setAttribute("aria-label", `${label(column)} ${clock(minute)}`);
  return slot;
}
