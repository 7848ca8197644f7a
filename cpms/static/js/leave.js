// A form of a page that was changed is not left without a question; in the dialog `dialog.js` asks.
// Browsers word the question themselves.
let changed = null;

const note = ({ target }) => { changed = target.closest('main form[method="post"]') ?? changed; };

document.addEventListener("input", note);
document.addEventListener("change", note);
document.addEventListener("submit", ({ target }) => {
  if (target === changed && !target.hasAttribute("hx-post")) changed = null; // the browser leaves with it
});
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement === changed && ctx.response.status < 400) changed = null; // saved
});
document.addEventListener("htmx:after:swap", () => {
  // Refused: the form comes back as it was typed, and is as little saved as before.
  if (changed && !changed.isConnected) changed = changed.id ? document.getElementById(changed.id) : null;
});
window.addEventListener("beforeunload", (event) => {
  if (changed?.isConnected) event.preventDefault();
});
