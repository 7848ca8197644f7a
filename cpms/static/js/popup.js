// Put a menu under its button (over it where there is no room below), and let the arrows walk it.
const GAP = 4;

function place(popup, button) {
  const box = button.getBoundingClientRect();
  const own = popup.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const toTheRight = document.documentElement.dir !== "rtl" ? box.left + own.width <= width - GAP : box.right < own.width + GAP;
  const left = toTheRight ? box.left : box.right - own.width;
  const below = box.bottom + GAP;
  const above = box.top - GAP - own.height;
  popup.style.left = `${Math.max(GAP, Math.min(left, width - own.width - GAP))}px`;
  popup.style.top = `${below + own.height > window.innerHeight && above > 0 ? above : below}px`;
}

const things = (popup) => [...popup.querySelectorAll("a, button:not(:disabled)")];

document.addEventListener("toggle", (event) => {
  const popup = event.target;
  if (!popup.matches?.("[data-popup]")) return;
  const button = document.querySelector(`[popovertarget="${popup.id}"]`);
  if (event.newState === "open" && button) {
    place(popup, button);
    if (button.matches(":focus-visible")) things(popup)[0]?.focus();
  }
}, true);

document.addEventListener("keydown", (event) => {
  const popup = event.target.closest?.("[data-popup]");
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!popup || !by) return;
  event.preventDefault();
  const all = things(popup);
  (all.at(all.indexOf(event.target) + by) ?? all[0]).focus();
});

// A choice was made, or the page moves away under the menu.
document.addEventListener("click", (event) => event.target.closest("[data-popup] :is(a:not([data-turn]), .menu-item)")?.closest("[data-popup]").hidePopover());
window.addEventListener("scroll", () => document.querySelector("[data-popup]:popover-open")?.hidePopover(), { passive: true });
