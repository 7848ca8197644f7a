// The calendar's wiring. Everything hangs on the document, so that a grid that is swapped or morphed needs nothing again.
import { each } from "./each.js";
import { frame, inHand, isCovered, newAt, putBack, spotAt, theGrid, theScroller, theSlot, STEP } from "./calendar-grid.js";
import { installDrag } from "./calendar-drag.js";
import { installKeys, standAt } from "./calendar-keys.js";

const MINUTE = 60_000;

installDrag();
installKeys();

// A tap on a card opens its sheet, a tap on an empty slot the form of a new entry. Without this the card's link still works.
document.addEventListener("click", (event) => {
  const grid = event.target.closest("#week-grid");
  if (!grid || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const card = event.target.closest(".ev");
  if (card) {
    event.preventDefault();
    open(card.getAttribute("href"), card, event);
  } else if (grid.dataset.new) {
    const spot = event.target === theSlot() && event.detail === 0 ? slotSpot() : freeSpot(event);
    if (spot) open(newAt(spot), theSlot(), event);
  }
});

function open(url, source, event) {
  htmx.ajax("GET", url, { source, event, target: "#dialog", swap: "innerHTML" });
}

function freeSpot({ target, clientX, clientY }) {
  const spot = target.closest(".slots") && spotAt(clientX, clientY);
  if (!spot) return;
  spot.minute = Math.floor(spot.minute / STEP) * STEP;
  standAt(spot);
  return spot;
}

// Pressed by a key, the frame itself is the slot: a click without a place.
function slotSpot() {
  const box = theSlot().getBoundingClientRect();
  const spot = spotAt(box.left + box.width / 2, box.top + box.height / 2);
  return spot && { ...spot, minute: Math.floor(spot.minute / STEP) * STEP };
}

// Under a mouse the free quarter of an hour shows what a click would open; a card tells all of its text.
document.addEventListener("pointermove", (event) => {
  const slot = theSlot();
  if (!slot || event.pointerType === "touch" || event.buttons || document.activeElement === slot) return;
  const spot = event.target.matches?.(".slots") && !inHand() && freeSpot(event);
  if (spot) frame(spot);
  else slot.hidden = true;
});
document.addEventListener("pointerover", ({ target }) => {
  const card = target.closest?.("#week-grid .ev");
  if (card) card.title ||= card.innerText.replaceAll("\n", " · ");
});

// While something is in the hand or a sheet lies over it, the grid does not ask; an answer that comes too late is dropped.
const isPoll = ({ sourceElement, sourceEvent }) => sourceElement === theGrid() && sourceEvent?.type === "every";
document.addEventListener("htmx:before:request", (event) => {
  if (isPoll(event.detail.ctx) && (inHand() || isCovered())) event.preventDefault();
});
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement === theGrid()) {
    const asked = new URL(ctx.request.action, location.href).searchParams.get("rev");
    if (inHand() || asked !== theGrid().dataset.rev) event.preventDefault();
  } else if (ctx.target?.id === "calendar") remembered = { top: theScroller().scrollTop, left: theScroller().scrollLeft };
});
// Refused, unreachable or signed out: whatever came back, nothing stays half moved.
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.matches?.("form[data-move]")) putBack(theGrid()?.querySelector(".pending"));
});

// The red line follows the clinic's clock: the server's time when the page came, and this device's since then.
let ahead = 0;
let remembered;

function showNow() {
  const now = new Date(Date.now() + ahead);
  const day = now.toISOString().slice(0, 10);
  for (const column of document.querySelectorAll("#week-grid .today")) {
    const minute = column.dataset.day === day ? now.getUTCHours() * 60 + now.getUTCMinutes() : -999;
    column.lastElementChild.style.setProperty("--now", minute);
  }
}

each("#calendar", (calendar) => {
  ahead = Date.parse(`${calendar.dataset.now}Z`) - Date.now();
  document.title = calendar.dataset.title;
  showNow();
  const pane = theScroller();
  if (remembered) return pane.scrollTo(remembered);
  const today = pane.querySelector(".today");
  const line = today && getComputedStyle(today.lastElementChild, "::after").top;
  pane.scrollTo({ top: Math.max(0, Number.parseFloat(line) - pane.clientHeight / 2) || 0, left: today ? today.offsetLeft - pane.querySelector(".hours").offsetWidth : 0 });
});
document.addEventListener("htmx:after:swap", showNow);
setInterval(showNow, MINUTE / 4);
