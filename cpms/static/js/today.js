// The board of the day: minutes go on by themselves, a tap is one step, and nothing is replaced under an open menu.
import { each } from "./each.js";

const on = (type, listener, options) => document.addEventListener(type, listener, options);
const board = () => document.getElementById("today-board");
let ahead = 0; // the server's clock less this device's, in seconds
let told; // the server's clock when it drew the board
let stepped; // the row of the last step

// The server gives the words: minutes in the first hour, then from when on.
function count() {
  const { minutes, long } = board().dataset;
  for (const time of board().querySelectorAll("[data-since]")) {
    const past = Math.max(0, Math.floor((Date.now() / 1000 + ahead - time.dataset.since) / 60));
    const words = past < 60 ? minutes.replace("{m}", past) : time.dataset.when;
    if (time.textContent !== words) time.textContent = words;
    time.closest(".since")?.classList.toggle("long", past >= long);
  }
}

// Also after an answer that brought nothing new, which tells no time.
function look() {
  const { now } = board().dataset;
  if (now !== told) ahead = now - Date.now() / 1000;
  told = now;
  count();
}

each("#today-board", look);
setInterval(count, 5000);

// What the day looks like does not change under an open menu or sheet.
on("htmx:before:request", (event) => {
  const { sourceElement, sourceEvent } = event.detail.ctx;
  const waits = document.querySelector("dialog:modal, .board [popover]:popover-open");
  if (waits && sourceEvent?.type === "every" && sourceElement === board()) event.preventDefault();
});

// Two clicks in one place are one: the second would be the next step, which has come under the pointer meanwhile.
on("submit", (event) => {
  const { submitter } = event;
  if (!submitter?.matches("[data-step]")) return;
  if (submitter.dataset.sent !== undefined) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  submitter.dataset.sent = "";
  stepped = submitter.closest("li")?.id;
}, true);
on("click", (event) => {
  if (event.detail < 2 || !event.target.closest("[data-step]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
on("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx.response?.status < 300) return; // the row comes anew
  for (const button of document.querySelectorAll("[data-sent]")) delete button.dataset.sent;
});

// Keys go on where they were, also when the button of the last step went with it.
on("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target?.id !== "today-board") return;
  look();
  const row = stepped && document.activeElement === document.body && document.getElementById(stepped);
  if (row) row.querySelector("[data-step], [popovertarget]")?.focus({ preventScroll: true });
  stepped = undefined;
});

// A time, a past visit, a step that asks first: its sheet opens over the day.
on("click", (event) => {
  const link = event.target.closest("[data-sheet]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  // Without this htmx names the source as the target, and the server sends the block of the target's name.
  const headers = { "HX-Target": "dialog#dialog" };
  htmx.ajax("GET", link.getAttribute("href"), { source: link, event, headers, target: "#dialog", swap: "innerHTML" });
});
