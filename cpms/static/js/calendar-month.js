// Days in rows of seven: arrows walk them, and beyond the edge the next month comes. For the month and for the picker.
// [data-days] names the two links that lead to the months before and after.
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
let wanted; // the day that gets the focus when its month is there
let scope; // in the picker or in the month

const dayIn = (root, day) => [...(root?.querySelectorAll("[data-date]") ?? [])].find((link) => link.dataset.date === day);

function stepped(day, by) {
  const date = new Date(`${day}T12:00Z`);
  date.setUTCDate(date.getUTCDate() + by);
  return date.toISOString().slice(0, 10);
}

function turn(root, ahead, day) {
  wanted = day;
  document.querySelector(root.dataset.days.split(" ")[ahead > 0 ? 1 : 0])?.click();
}

// In the list from row to row; from outside to today, or to the first.
function walk(by) {
  const all = [...document.querySelectorAll("#calendar :is(.entry, .month-day[href])")];
  const now = all.indexOf(document.activeElement);
  const today = document.querySelector("#calendar .now :is(.entry, .month-day)") ?? all[0];
  (now < 0 ? today : all[now + by])?.focus();
}

// Before the menu's own keys: in the picker, Down is a week and not the next button.
document.addEventListener("keydown", (event) => {
  const outside = event.target.matches?.(".cal-scroll, .entry") && !document.querySelector("#calendar .grid");
  const root = event.target.closest?.("[data-days]");
  if (!(root || outside) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog:modal")) return;
  const now = event.target.dataset.date;
  const by = STEPS[event.key];
  if (by && wanted) return event.preventDefault(); // the next month is on its way
  const page = { PageUp: -1, PageDown: 1 }[event.key];
  if (outside) {
    if (!by) return;
    walk(Math.sign(by));
  } else if (page && root.matches(".picker")) turn(root, page);
  else if (by && now) {
    const sideways = document.documentElement.dir === "rtl" && Math.abs(by) === 1 ? -by : by;
    const day = stepped(now, sideways);
    const link = dayIn(root, day);
    scope = root.matches(".picker") ? ".picker" : ".month";
    if (link) link.focus();
    else turn(root, sideways, day);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}, true);

function arrive(target) {
  const popup = target?.closest?.("#cal-go");
  const root = popup ?? (scope === ".month" && wanted ? document.querySelector(".month") : undefined);
  if (!root) return;
  const link = dayIn(root, wanted) ?? (popup && (root.querySelector("[aria-current]") ?? root.querySelector("td:not(.outside) a")));
  wanted = undefined;
  link?.focus({ preventScroll: true });
}
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => arrive(ctx.target));
document.addEventListener("htmx:finally:request", () => { wanted = undefined; });
arrive(document.querySelector("#cal-go:popover-open")); // the picker came first, and this after it
