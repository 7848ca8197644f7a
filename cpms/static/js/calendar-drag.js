// Where things lie on the grid, and cards in the hand: by mouse, pen and finger here, by keys in calendar-keys.js.
// A card is "lifted" while it follows, "held" with its grip after a long press, "pending" until the server answers.
export let hand; // {card, home, place}; a place is {column, start, minutes}
export const STEP = 15;

const PRESS = 300; // milliseconds; a finger that moves sooner scrolls
const GRIP = 12; // pixels of the lower edge that resize
const EDGE = 36; // pixels of the rim where the grid scrolls by itself

let press; // the pointer that is down on a card
let dragged; // since the last press: the click that ends it is no tap

export const on = (type, listener, options) => document.addEventListener(type, listener, options);
export const find = (selector) => document.querySelector(`#calendar ${selector}`);
export const within = (low, value, high) => Math.max(low, Math.min(value, high));
const clock = (minute) => new Date(minute * 6e4).toISOString().slice(11, 16);

// First and last minute of the grid, and the height of one.
export function measures() {
  const { from, to } = find(".grid").dataset;
  return { from: +from, to: +to, high: find(".col .slots").offsetHeight / (to - from) };
}

export function placeOf(card) {
  const [, hour, minute, minutes] = card.className.match(/t(\d\d)(\d\d) h(\d+)/);
  return { column: card.closest(".col"), start: hour * 60 + +minute, minutes: +minutes };
}

export function spotAt({ clientX, clientY }) {
  const area = document.elementsFromPoint(clientX, clientY).find((each) => each.matches(".col > .slots"));
  const { from, high } = measures();
  return area && { column: area.parentElement, minute: from + (clientY - area.getBoundingClientRect().top) / high };
}

// The frame around a free quarter of an hour knows what it stands for.
export function frame({ column, minute }) {
  const slot = find(".slot");
  const { from, high } = measures();
  const { day, chair = "", provider = "" } = column.dataset;
  const top = column.lastElementChild.offsetTop + (minute - from) * high;
  slot.style.transform = `translate(${column.offsetLeft}px, ${top}px)`;
  slot.style.width = `${column.offsetWidth}px`;
  slot.style.height = `${STEP * high}px`;
  Object.assign(slot.dataset, { at: clock(minute), day, chair, provider });
  slot.ariaLabel = `${column.firstElementChild.innerText} ${clock(minute)}`;
  slot.hidden = false;
  return slot;
}

export function lift(card) {
  const home = placeOf(card);
  hand = { card, home };
  card.classList.remove("held");
  card.classList.add("lifted");
  carry(home);
}

export function carry(place) {
  const { card, home } = hand;
  const { high } = measures();
  const across = place.column.offsetLeft - home.column.offsetLeft;
  hand.place = place;
  card.style.transform = `translate(${across}px, ${(place.start - home.start) * high}px)`;
  card.style.height = place.minutes === home.minutes ? "" : `${place.minutes * high - 1}px`;
  card.dataset.at = `${clock(place.start)}–${clock(place.start + place.minutes)}`;
}

export function putBack(card = hand?.card) {
  if (card === hand?.card) hand = undefined;
  card?.classList.remove("lifted", "held", "pending");
  card?.removeAttribute("style");
}

// The card stays where it was let go until the true grid comes.
export function letGo() {
  const { card, home, place } = hand;
  if (Object.keys(home).every((part) => place[part] === home[part])) return putBack();
  hand = undefined;
  card.classList.replace("lifted", "pending");
  const { event, version, start, minutes, chair, to_provider: to, copied } = find("form[data-move]").elements;
  event.value = card.id.slice(1);
  version.value = card.dataset.v;
  start.value = `${place.column.dataset.day}T${clock(place.start)}`;
  minutes.value = place.minutes;
  chair.value = place.column.dataset.chair ?? "";
  to.value = place.column.dataset.provider ?? "";
  copied.value = "";
  event.form.requestSubmit();
}

on("pointerdown", (event) => {
  const { clientX: x, clientY: y, pointerId: id } = event;
  const card = event.target.closest(".ev");
  const held = find(".held");
  const touch = event.pointerType === "touch";
  dragged = false;
  putBack();
  if (held && held !== card) putBack(held);
  if (!card || event.button || !event.isPrimary || card.matches("[data-fixed], .pending") || !find("form[data-move]")) return;
  const { top, bottom, height } = card.getBoundingClientRect();
  const grip = held ? GRIP : touch ? 0 : Math.min(GRIP, height * 0.4);
  press = { card, touch, x, y, id, at: event, resizes: y > bottom - grip, grab: (y - top) / measures().high };
  if (held) start();
  else if (touch) press.timer = setTimeout(start, PRESS);
});

function start() {
  dragged = true;
  lift(press.card);
  press.frame = requestAnimationFrame(step);
}

function end() {
  clearTimeout(press?.timer);
  cancelAnimationFrame(press?.frame);
  press = undefined;
}

on("pointermove", (event) => {
  if (event.pointerId !== press?.id) return;
  press.at = event;
  press.far ||= Math.hypot(event.clientX - press.x, event.clientY - press.y) > (press.touch ? 8 : 4);
  if (press.far && !dragged) (press.touch ? end : start)();
});

// Once a frame: a fast mouse costs no more than a slow one, and a finger that rests at the rim scrolls.
function step() {
  if (!hand) return end();
  if (press.far) {
    const pane = find(".cal-scroll");
    const { left, right, top, bottom } = pane.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = find(".col-head");
    const pull = (low, value, high) => (Math.min(0, value - low - EDGE) + Math.max(0, value - high + EDGE)) / 3;
    const across = pull(left + offsetWidth, press.at.clientX, right);
    pane.scrollBy(press.resizes ? 0 : across, pull(top + offsetHeight, press.at.clientY, bottom));
    follow();
  }
  press.frame = requestAnimationFrame(step);
}

function follow() {
  const { home } = hand;
  const { from, to } = measures();
  const spot = spotAt(press.at);
  const fine = press.at.altKey || press.at.shiftKey ? 5 : STEP;
  const snap = (minute) => Math.round(minute / fine) * fine;
  if (!spot) carry(home);
  else if (press.resizes) carry({ ...home, minutes: within(fine, snap(spot.minute) - home.start, to - home.start) });
  else carry({ ...home, column: spot.column, start: within(from, snap(spot.minute - press.grab), to - home.minutes) });
}

on("pointerup", (event) => {
  if (event.pointerId !== press?.id) return;
  const { card, far } = press;
  if (hand && far) follow();
  end();
  if (!hand) return;
  if (far) return letGo();
  putBack();
  card.classList.add("held");
});
on("pointercancel", () => { if (press) putBack(); end(); });

// What a browser would do with a link that is pressed: follow it, drag its address, show a menu, scroll on.
const stop = (event) => { event.preventDefault(); event.stopPropagation(); };
on("click", (event) => { if (dragged && event.detail) stop(event); }, true);
on("dragstart", (event) => { if (press) stop(event); });
on("contextmenu", (event) => { if (press?.touch) stop(event); });
on("touchmove", (event) => { if (hand) stop(event); }, { passive: false });
