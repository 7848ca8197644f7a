// Tap a picture and then a place, or drag it there: both fill in the same form. Escape lays the picture down again.
// The answer brings the mount anew: what was turned is still in hand then, and the keys go on where they were.
import { each } from "./each.js";

const FAR = 8; // pixels: less is a tap
let after; // what was sent: the cell, and whether its picture stays in hand

each("[data-mount]", (mount) => {
  const place = mount.querySelector("[data-place]");
  if (!place) return;
  const turn = mount.querySelector("[data-turn]");
  const out = place.querySelector("[data-out]");
  const cellOf = (pick) => pick?.closest("[data-cell]");
  const xrayOf = (pick) => pick.dataset.xray ?? cellOf(pick)?.dataset.xray ?? "";
  let held = null;

  function hold(pick) {
    held?.setAttribute("aria-pressed", "false");
    held = pick;
    held?.setAttribute("aria-pressed", "true");
    const placed = Boolean(held && cellOf(held));
    out.hidden = turn.querySelector("button").hidden = !placed;
    if (placed) place.elements.cell.value = turn.elements.cell.value = cellOf(held).dataset.cell;
  }

  function put(cell, pick) {
    place.elements.cell.value = cell.dataset.cell;
    place.elements.xray_id.value = xrayOf(pick);
    place.requestSubmit();
  }

  out.addEventListener("click", () => { place.elements.xray_id.value = ""; });
  for (const form of [place, turn]) form.addEventListener("submit", () => { after = { cell: form.elements.cell.value, isTurn: form === turn }; });

  if (after) {
    const pick = document.getElementById(`pick-${after.cell}`);
    if (after.isTurn && xrayOf(pick)) hold(pick);
    (after.isTurn ? turn.querySelector("button") : pick)?.focus({ preventScroll: true });
    after = undefined;
  }

  let drag = null;
  let wasDrag = false; // some devices send a click when a drag ends
  mount.addEventListener("pointerdown", (event) => {
    wasDrag = false;
    const pick = event.target.closest("[data-pick]");
    if (pick && xrayOf(pick) && event.button === 0) drag = { pick, x: event.clientX, y: event.clientY, moved: false };
  });
  mount.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.moved && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < FAR) return;
    if (!drag.moved) {
      drag.moved = true;
      drag.pick.setPointerCapture(event.pointerId);
      drag.pick.classList.add("lifted");
    }
    const image = drag.pick.querySelector("img");
    if (image) image.style.translate = `${event.clientX - drag.x}px ${event.clientY - drag.y}px`;
    const cell = document.elementsFromPoint(event.clientX, event.clientY).map((each) => each.closest("[data-cell]")).find((each) => each && each !== cellOf(drag.pick));
    for (const other of mount.querySelectorAll(".over")) other.classList.remove("over");
    cell?.classList.add("over");
    drag.cell = cell;
  });
  const drop = (event) => {
    if (!drag) return;
    const { pick, moved, cell } = drag;
    drag = null;
    pick.classList.remove("lifted");
    const image = pick.querySelector("img");
    if (image) image.style.translate = "";
    for (const other of mount.querySelectorAll(".over")) other.classList.remove("over");
    if (!moved) return;
    wasDrag = true;
    if (event.type === "pointerup" && cell) put(cell, pick);
  };
  mount.addEventListener("pointerup", drop);
  mount.addEventListener("pointercancel", drop);

  mount.addEventListener("click", (event) => {
    const pick = event.target.closest("[data-pick]");
    if (!pick || (wasDrag && event.detail > 0)) return; // a key's click has no count
    const cell = cellOf(pick);
    if (held && held !== pick && cell) return put(cell, held);
    if (held === pick || !xrayOf(pick)) return hold(null);
    hold(pick);
  });
  mount.addEventListener("keydown", (event) => { if (event.key === "Escape") hold(null); });
});
