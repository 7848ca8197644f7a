import "./progress.js";
import "./connection.js";
import "./session.js";
import "./dialog.js";
import "./toasts.js";
import "./finder.js";
import "./popup.js";
import "./leave.js";

// What some forms need comes with the first of them.
function load() {
  if (document.querySelector(".main > .sheet")) import("./own-page.js");
  if (document.querySelector("[data-sets-minutes]")) import("./event-form.js");
  if (document.querySelector("[data-find-time]")) import("./free.js");
}
load();
document.addEventListener("htmx:after:swap", load);
if (navigator.serviceWorker) import("./device.js"); // only where the connection is safe

// A form that came back with mistakes: the person stands where the first one is.
export function focusFirstMistake(root = document) {
  const field = root.querySelector('[aria-invalid="true"]') ?? root.querySelector(".problem, .alert.danger");
  if (!field) return false;
  const control = field.matches("input, select, textarea") ? field : field.closest("fieldset")?.querySelector("input");
  control?.focus();
  field.scrollIntoView({ block: "center" }); // clear of what sticks to the edges
  return Boolean(control);
}

document.addEventListener("htmx:after:swap", (event) => {
  if ([409, 422].includes(event.detail.ctx.response?.status)) {
    focusFirstMistake(document.querySelector("dialog[open]:modal") ?? document);
  }
});
if (document.querySelector("main [aria-invalid]")) focusFirstMistake(document.querySelector("main"));

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
  if (event.target.closest("[data-back]")) window.history.back();
});
