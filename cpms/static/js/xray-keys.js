// Keys of the viewer. A button says its key in aria-keyshortcuts, so help, tooltip and key are one; the arrows move the
// picture, with Shift the brightness and contrast, and in a drawing tool the cross whose point Enter puts down.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 40;
const FINE = 8;

const named = (event) => {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  return event.shiftKey && /^[A-Z]$/.test(key) ? `Shift+${key}` : key;
};

export function keys(viewer, { current, tool, cancel }) {
  function press(event) {
    const wanted = named(event);
    const fits = (button) => button.getAttribute("aria-keyshortcuts").split(" ").includes(wanted);
    const button = [...viewer.querySelectorAll("[aria-keyshortcuts]")].find(fits);
    if (!button) return false;
    if (button.closest("form[hidden]")) return true; // nothing is drawn that could be saved
    if (button.ariaDisabled !== "true" && !button.disabled) button.click();
    return true;
  }

  function shade([right, down]) {
    const { picture } = current();
    picture.set(picture.dragged(picture.tone, right * 16, -down * 16));
    current().draw();
  }

  function arrow(event, [x, y]) {
    const stage = current();
    if (tool() === "move" || tool() === "tone") {
      if (event.shiftKey || tool() === "tone") shade([x, y]);
      else stage.pan(-x * STEP, -y * STEP);
      return;
    }
    const by = event.shiftKey ? 1 : FINE;
    const [cx, cy] = stage.cross ?? [0, 0];
    const [wide, high] = [stage.element.clientWidth / 2, stage.element.clientHeight / 2];
    stage.cross = [Math.max(-wide, Math.min(wide, cx + x * by)), Math.max(-high, Math.min(high, cy + y * by))];
    stage.pen.move(stage.point(stage.cross));
    stage.draw();
  }

  function enter(event) {
    const stage = current();
    if (["move", "tone"].includes(tool()) || event.target.closest("button, a, summary, select")) return false;
    stage.cross ??= [0, 0];
    const point = stage.point(stage.cross);
    stage.pen.down(tool(), point);
    stage.pen.up(point, true);
    stage.draw();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    const isWriting = event.target.closest("input, textarea, select, [contenteditable], [popover]");
    if (isWriting || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog:modal")) return;
    // In the report's panel arrows and Page keys scroll.
    if (event.target.closest(".xv-panel") && event.key !== "Escape") return;
    let isOurs = true;
    if (ARROWS[event.key]) arrow(event, ARROWS[event.key]);
    else if (event.key === "Escape") cancel();
    else if (event.key === "Enter" || event.key === " ") isOurs = enter(event);
    else isOurs = press(event);
    if (isOurs) event.preventDefault();
  });
}
