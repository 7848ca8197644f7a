// The calendar's wiring. It hangs on the document: a grid that is swapped or morphed needs nothing again.
import { each } from "./each.js";
import { find, frame, on, putBack, spotAt, STEP } from "./calendar-drag.js";
import { withHand } from "./calendar-keys.js"; // writes to each new card: before the next one has them measured
import { across } from "./calendar-days.js";

let ahead = 0; // the clinic's clock, read as if it were UTC, less this device's
let scrolled; // where the grid was before another week came

const POLLED = ".grid, .month, .agenda"; // what asks by itself for what is new
const isBusy = () => find(".lifted, .held, .pending");

function frameUnder(event) {
  const spot = event.target.matches(".col > .slots") && !isBusy() && find(".slot") && spotAt(event);
  return spot && frame({ ...spot, minute: Math.floor(spot.minute / STEP) * STEP });
}

// A tap on a card opens its sheet, one on an empty slot the form of a new entry.
on("click", (event) => {
  const source = event.target.closest(".ev, .slot, .entry") ?? frameUnder(event);
  if (!source || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (source.matches(".slot") && find("#clipboard[data-event]")) return withHand((clipboard) => clipboard.putDown(source.dataset));
  const url = new URL(source.getAttribute("href") ?? find(".grid").dataset.new, location);
  const { day, at, chair, provider } = source.dataset;
  if (day) url.searchParams.set("start", `${day}T${at}`);
  if (chair) url.searchParams.set("chair", chair);
  if (+provider) url.searchParams.set("provider", provider);
  // Without this htmx names the source as the target, and the server sends the block of the target's name.
  const headers = { "HX-Target": "dialog#dialog" };
  htmx.ajax("GET", url.pathname + url.search, { source, event, headers, target: "#dialog", swap: "innerHTML" });
});

// Under a mouse a free slot shows what a click would open, and a card tells all of its text.
on("pointermove", (event) => {
  const slot = find(".slot");
  if (slot && event.pointerType !== "touch" && document.activeElement !== slot && !frameUnder(event)) slot.hidden = true;
});
on("pointerover", ({ target }) => {
  const card = target.closest(".ev");
  if (card) card.title ||= card.innerText.replaceAll("\n", " · ");
});

// The grid does not ask while a card is in the hand; an answer that comes too late is dropped. Under an open sheet it
// goes on: whoever is filling in a form sees behind it what another desk books.
on("htmx:before:request", (event) => {
  const { sourceElement, sourceEvent } = event.detail.ctx;
  if (isBusy() && sourceEvent?.type === "every" && sourceElement.matches(POLLED)) event.preventDefault();
});
on("htmx:before:swap", (event) => {
  const { request, sourceElement, target } = event.detail.ctx;
  const isLate = isBusy() || !request.action.endsWith(`rev=${sourceElement.dataset.rev}`);
  if (isLate && sourceElement.matches(POLLED)) event.preventDefault();
  const { scrollTop: top, scrollLeft: left } = find(".cal-scroll");
  if (target?.id === "calendar") scrolled = { view: target.dataset.view, top, left };
});
// Refused or no answer at all: nothing stays half moved.
on("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.matches("[data-move]")) putBack(find(".pending"));
});

// The frame of a slot goes with its form, or with a booking: it would lie over the new card.
function clearSlot() {
  const slot = find(".slot");
  if (slot && document.activeElement !== slot && !document.querySelector("dialog:modal")) slot.hidden = true;
}
on("close", ({ target }) => {
  if (target.id !== "dialog") return;
  clearSlot();
  if (document.activeElement === document.body) find(".cal-scroll")?.focus({ preventScroll: true });
}, true);
on("htmx:after:swap", clearSlot);

function showNow() {
  const now = new Date(Date.now() + ahead).toISOString();
  for (const line of document.querySelectorAll(".now-line")) {
    const minute = now.startsWith(line.closest(".col").dataset.day) ? now.slice(11, 13) * 60 + +now.slice(14, 16) : -999;
    line.style.setProperty("--now", minute);
  }
}

each("#calendar", (calendar) => {
  ahead = Date.parse(`${calendar.dataset.now}Z`) - Date.now();
  document.title = calendar.dataset.title;
  showNow();
  if (!find(".grid")) return;
  const pane = find(".cal-scroll");
  const today = find(".today");
  if (scrolled?.view === calendar.dataset.view) pane.scrollTo(scrolled);
  else if (today) {
    pane.scrollBy(across(today), find(".now-line").offsetTop - pane.clientHeight / 2 - pane.scrollTop);
  }
});
each("#clipboard[data-event]", () => withHand((clipboard) => clipboard.mark()));
on("htmx:after:swap", showNow);
setInterval(showNow, 15_000);
