// The one dialog: it opens when a sheet is swapped into it, and closes on `dialog-close`, Escape, the cross, or the veil.
// What was typed is never lost without a question.
const dialog = document.getElementById("dialog");
const discard = document.getElementById("discard");
let changed = false;

function open() {
  if (!dialog.open) {
    changed = false;
    dialog.showModal();
  } else if (dialog.contains(document.activeElement) && document.activeElement !== dialog) {
    return;
  }
  const first = dialog.querySelector('[aria-invalid="true"], [autofocus]')
    ?? dialog.querySelector(".sheet-body :is(input:not([type=hidden]), select, textarea)");
  first?.focus();
}

function close() {
  changed = false;
  dialog.close();
}

function ask() {
  if (!changed) return close();
  if (!discard.open) discard.showModal();
}

if (dialog) {
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (ctx.sourceEvent?.type === "every") return; // a page that refreshes itself behind an open sheet
    if (ctx.target === dialog && ctx.response?.status === 200) changed = false; // what was typed is stored: a new sheet
    if (dialog.childElementCount) open();
  });
  document.addEventListener("dialog-close", close);

  dialog.addEventListener("input", () => { changed = true; });
  dialog.addEventListener("change", () => { changed = true; });
  dialog.addEventListener("cancel", (event) => {
    if (event.target !== dialog) return;
    event.preventDefault();
    ask();
  });
  dialog.addEventListener("close", () => {
    // A browser lets Escape through when it is pressed twice.
    if (!changed) return dialog.replaceChildren();
    dialog.showModal();
    discard.close();
    ask();
  });
  discard.addEventListener("close", () => { if (discard.returnValue === "discard") close(); discard.returnValue = ""; });

  // Only a press that both starts and ends on the veil: a text marked beyond the edge is no wish to leave.
  let pressed;
  dialog.addEventListener("pointerdown", (event) => { pressed = event.target; });
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]") || (event.target === dialog && pressed === dialog)) ask();
  });
}
