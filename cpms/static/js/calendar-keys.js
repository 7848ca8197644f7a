// The calendar without a pointer: arrows walk slots and cards, Enter opens, m picks a card up, letters lead around.
import { each } from "./each.js";
import { carry, find, frame, hand, letGo, lift, measures, on, placeOf, putBack, STEP, within } from "./calendar-drag.js";

const onward = document.documentElement.dir === "rtl" ? -1 : 1;
const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-onward, 0], ArrowRight: [onward, 0] };
// What cuts and copies, and the keys of a month, come with the first use.
export const withHand = (act) => import("./calendar-clipboard.js").then(act);
const month = () => import("./calendar-month.js");

let index = 0; // the column and the minute where the frame stands
let minute = 0;
let walked = false;

const columns = () => [...document.querySelectorAll(".col")];
const cardsAt = (column, start, minutes) => [...column.querySelectorAll(".ev")].filter((card) => {
  const place = placeOf(card);
  return place.start < start + minutes && start < place.start + place.minutes;
});

function go(element) {
  element?.focus({ preventScroll: true });
  element?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function walk(across, down) {
  const all = columns();
  const { from, to } = measures();
  const card = document.activeElement.closest(".ev");
  const head = document.activeElement.closest(".col-head");
  if (head) [index, minute] = [all.indexOf(head.parentElement), from - STEP];
  const first = !walked && !card && !head && (find(".today .ev") ?? find(".ev"));
  walked = true;
  if (first) return go(first);
  if (card) {
    const { column, start, minutes } = placeOf(card);
    const beside = cardsAt(column, start, minutes);
    const next = across && beside[beside.indexOf(card) + across];
    if (next) return go(next);
    index = all.indexOf(column);
    minute = down > 0 ? start + minutes - STEP : start;
  }
  index = within(0, index + across, all.length - 1);
  const above = all[index].querySelector(".col-head a");
  minute = Math.floor(minute / STEP + down) * STEP;
  if (minute < from && above && (down < 0 || head)) return go(above);
  minute = within(from, minute, to - STEP);
  go(cardsAt(all[index], minute, STEP)[0] ?? (find(".slot") && frame({ column: all[index], minute })));
}

// In the hand: arrows move the card, with Shift its end.
function bring(across, down, shift) {
  const { card, place } = hand;
  const { from, to } = measures();
  const all = columns();
  const column = all[within(0, all.indexOf(place.column) + across, all.length - 1)];
  if (shift) carry({ ...place, minutes: within(STEP, place.minutes + down * STEP, to - place.start) });
  else carry({ ...place, column, start: within(from, place.start + down * STEP, to - place.minutes) });
  card.scrollIntoView({ block: "nearest", inline: "nearest" });
  find("output").textContent = `${column.firstElementChild.innerText} ${card.dataset.at}`;
}

on("keydown", (event) => {
  const { key, target } = event;
  const arrow = ARROWS[key];
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog:modal, :popover-open")) return;
  if (hand) {
    if (arrow) bring(...arrow, event.shiftKey);
    else if (key === "Enter" || key === "m") letGo();
    else if (key === "Escape") putBack();
    else return;
  } else if (arrow && target.matches(find(".grid") ? "body, .cal-scroll, .cal-scroll *" : ".cal-scroll *") && event.isTrusted) {
    if (find(".grid")) walk(...arrow);
    else month().then(() => target.dispatchEvent(new KeyboardEvent("keydown", event))); // pressed too early
  } else if (key === "m" && target.matches(".ev:not([data-fixed], .pending)") && find("form[data-move]")) lift(target);
  else if (key === "n" && target.matches(".slot")) target.click();
  else if ((key === "x" || key === "c") && target.matches(".ev, .entry")) withHand((clipboard) => clipboard.takeUp(target, key));
  else if (key === "Escape" && find("#clipboard-let-go") && target.matches("body, main, #calendar *")) find("#clipboard-let-go").click();
  else {
    // Only where nothing or the calendar has the focus: in a field a letter is a letter.
    const link = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
    if (!link || !target.matches("body, main, #calendar *")) return;
    link.click();
  }
  event.preventDefault();
});

// One stop for Tab: hundreds of cards would stand between the tools and whatever follows.
const oneStop = () => document.querySelectorAll("#calendar :is(.ev, .col-head a)").forEach((link) => { link.tabIndex = -1; });
each("#calendar", oneStop);
each("[data-days]", month);
on("htmx:after:swap", oneStop);

on("focusout", ({ target }) => { if (target.matches(".slot")) target.hidden = true; });
