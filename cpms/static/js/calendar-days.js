// Days that do not fit on the screen: a row shows which are in sight, and leads to the others.
import { each } from "./each.js";
import { find, on } from "./calendar-drag.js";

// How far to scroll until a column stands beside the hours, which stay where a line of the language begins.
export function across(column) {
  const [pane, box] = [find(".cal-scroll"), column].map((each) => each.getBoundingClientRect());
  const hours = find(".hours").offsetWidth;
  return isRtl() ? box.right - pane.right + hours : box.left - pane.left - hours;
}

const isRtl = () => document.documentElement.dir === "rtl";

let fitted = true; // what comes is likely to be as wide as before, and is then laid out once

function look() {
  const pane = find(".cal-scroll");
  const strip = find(".cal-days");
  if (!pane || !strip) return;
  strip.hidden = fitted;
  const room = pane.scrollWidth - pane.clientWidth;
  strip.hidden = fitted = room < 3;
  find(".cal-edge").classList.toggle("more", Math.abs(pane.scrollLeft) < room - 3);
  let { left, right } = pane.getBoundingClientRect();
  const hours = find(".hours")?.offsetWidth ?? 0;
  if (isRtl()) right -= hours;
  else left += hours;
  for (const button of strip.children) {
    const box = find(`[data-day="${button.dataset.jump}"]`)?.getBoundingClientRect();
    const shown = box && box.left + box.width / 2 > left && box.left + box.width / 2 < right;
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
  if (column) find(".cal-scroll").scrollBy({ left: across(column) });
});
