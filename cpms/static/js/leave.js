// A form of a page that was changed is not left without a question; in the dialog `dialog.js` asks.
// Browsers word the question themselves.
const changed = new Set();

const note = ({ target }) => {
  const form = target.closest('main form[method="post"]');
  if (form) changed.add(form);
};

export const leaves = (form) => changed.delete(form); // sent by a script: no event tells

document.addEventListener("input", note);
document.addEventListener("change", note);
document.addEventListener("submit", ({ target }) => {
  if (!target.hasAttribute("hx-post")) changed.delete(target); // the browser leaves with it
});
document.addEventListener("reset", ({ target }) => changed.delete(target)); // thrown away on purpose
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (ctx.response?.status < 400) changed.delete(ctx.sourceElement); // saved
});
document.addEventListener("htmx:after:swap", () => {
  // Refused: the form comes back as it was typed, and is as little saved as before.
  for (const form of [...changed].filter((each) => !each.isConnected)) {
    changed.delete(form);
    const again = form.id && document.getElementById(form.id);
    if (again) changed.add(again);
  }
});
window.addEventListener("beforeunload", (event) => {
  if ([...changed].some((form) => form.isConnected)) event.preventDefault();
});
