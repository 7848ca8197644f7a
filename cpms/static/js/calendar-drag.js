// Moving and resizing cards by mouse, pen and finger. A mouse lifts after a few pixels; a finger after a long press, because
// a finger that moves at once wants to scroll. It never speaks HTTP: it fills the move form (calendar-grid.js).
import { carry, inHand, isCovered, letGo, lift, measures, placeOf, putBack, snap, spotAt, theScroller, within, STEP } from "./calendar-grid.js";

const SLACK = 4; // pixels that a hand trembles
const FINGER_SLACK = 8;
const PRESS = 300; // milliseconds
const GRIP = 12;
const EDGE = 36; // where the grid begins to scroll by itself

let hold; // the pointer that is down on a card: {card, touch, x, y, grab, resizes, active, place, timer, fine}

const mayMove = () => document.querySelector("form[data-move]");

function grip(card, touch) {
  const box = card.getBoundingClientRect();
  if (card.matches(".held")) return [box.bottom - GRIP, box.bottom + 2 * GRIP];
  return touch ? [Infinity, 0] : [box.bottom - Math.min(GRIP, box.height * 0.4), box.bottom];
}

function down(event) {
  const card = event.target.closest?.("#week-grid .ev");
  const held = theScroller()?.querySelector(".held");
  if (held && held !== card) putBack(held);
  if (!card || !mayMove() || !event.isPrimary || event.button !== 0 || isCovered()) return;
  if (card.matches("[data-fixed], .pending") || event.ctrlKey || event.metaKey) return;
  const touch = event.pointerType === "touch";
  const [top, bottom] = grip(card, touch);
  const { minute } = measures();
  hold = {
    card, touch, x: event.clientX, y: event.clientY, resizes: event.clientY >= top && event.clientY <= bottom,
    grab: (event.clientY - card.getBoundingClientRect().top) / minute, place: null, active: false, id: event.pointerId,
  };
  if (card.matches(".held")) start();
  else if (touch) hold.timer = setTimeout(start, PRESS);
}

function start() {
  hold.active = true;
  hold.card.classList.remove("held");
  lift(hold.card);
  if (hold.touch) navigator.vibrate?.(10);
  carry(hold.card, placeOf(hold.card));
  hold.frame = requestAnimationFrame(step);
}

function move(event) {
  if (event.pointerId !== hold?.id) return;
  const far = Math.hypot(event.clientX - hold.x, event.clientY - hold.y);
  if (!hold.active) {
    if (hold.touch && far > FINGER_SLACK) end();
    else if (!hold.touch && far > SLACK) start();
    if (!hold?.active) return;
  }
  hold.moved ||= far > SLACK;
  hold.at = { x: event.clientX, y: event.clientY, fine: event.altKey || event.shiftKey };
}

// Once a frame, so that a fast mouse costs no more than a slow one, and so that the grid scrolls while the finger rests.
function step() {
  if (!hold?.active) return;
  if (hold.at && hold.moved) {
    scroll(hold.at);
    follow(hold.at);
  }
  hold.frame = requestAnimationFrame(step);
}

function follow({ x, y, fine }) {
  const spot = spotAt(x, y);
  const home = placeOf(hold.card);
  hold.place = null;
  if (spot) {
    const { from, to } = measures();
    if (hold.resizes) {
      const minutes = within(fine ? 5 : STEP, snap(spot.minute, fine) - home.start, to - home.start);
      hold.place = { ...home, minutes };
    } else {
      const start = within(from, snap(spot.minute - hold.grab, fine), to - home.minutes);
      hold.place = { ...home, column: spot.column, start };
    }
  }
  carry(hold.card, hold.place ?? home);
}

function scroll({ x, y }) {
  const pane = theScroller();
  const box = pane.getBoundingClientRect();
  const head = pane.querySelector(".col-head").offsetHeight;
  const hours = pane.querySelector(".hours").offsetWidth;
  const pull = (low, value, high) => (value < low + EDGE ? value - low - EDGE : value > high - EDGE ? value - high + EDGE : 0) / 3;
  pane.scrollTop += pull(box.top + head, y, box.bottom);
  if (!hold.resizes) pane.scrollLeft += pull(box.left + hours, x, box.right);
}

function up(event) {
  if (event.pointerId !== hold?.id) return;
  const { active, at, card, moved, touch } = hold;
  if (active && at && moved) follow(at);
  const place = hold?.place;
  end();
  if (!active) return;
  swallowClick();
  if (moved) letGo(card, place);
  else if (touch) {
    card.classList.remove("lifted");
    card.classList.add("held"); // a finger that rests and goes leaves the card in the hand, with its grip
  } else putBack(card);
}

function end() {
  clearTimeout(hold?.timer);
  cancelAnimationFrame(hold?.frame);
  hold = undefined;
}

export function cancelDrag() {
  if (!hold?.active && !inHand()) return false;
  end();
  putBack(inHand());
  return true;
}

// The click that follows a drag is not a tap on the card.
function swallowClick() {
  const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };
  window.addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => window.removeEventListener("click", swallow, { capture: true }), 50);
}

export function installDrag() {
  document.addEventListener("pointerdown", down);
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", up);
  document.addEventListener("pointercancel", (event) => { if (event.pointerId === hold?.id) { const { card } = hold; end(); putBack(card); } });
  // The browser's own ideas about a pressed link: dragging its address, a menu, scrolling on.
  document.addEventListener("dragstart", (event) => { if (event.target.closest?.(".ev")) event.preventDefault(); });
  document.addEventListener("contextmenu", (event) => { if (hold?.touch) event.preventDefault(); });
  document.addEventListener("touchmove", (event) => { if (hold?.active) event.preventDefault(); }, { passive: false });
}
