// Days that do not fit on the screen: a row of their names shows which are in sight, and leads to the others.
import { each } from "./each.js";
import { find, on } from "./calendar-drag.js";

function look() {
  const pane = find(".cal-scroll");
  const strip = find(".cal-days");
  if (!pane || !strip) return;
  const room = pane.scrollWidth - pane.clientWidth;
  strip.hidden = room < 3;
  pane.classList.toggle("more-after", Math.abs(pane.scrollLeft) < room - 3);
  const { left, right } = pane.getBoundingClientRect();
  const from = left + (find(".hours")?.offsetWidth ?? 0);
  for (const button of strip.children) {
    const box = find(`[data-day="${button.dataset.jump}"]`)?.getBoundingClientRect();
    const shown = box && box.left + box.width / 2 > from && box.left + box.width / 2 < right;
    if (shown) button.ariaCurrent = "true";
    else button.removeAttribute("aria-current");
  }
}

each("#calendar", look);
on("htmx:after:swap", look);
on("scroll", look, { capture: true, passive: true });
window.addEventListener("resize", look);
on("click", ({ target }) => {
  const button = target.closest("[data-jump]");
  const column = button && find(`[data-day="${button.dataset.jump}"]`);
  if (column) find(".cal-scroll").scrollTo({ left: column.offsetLeft - find(".hours").offsetWidth });
});
