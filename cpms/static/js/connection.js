// When the clinic's server does not answer: say so, say from when the page is, and take the pens away.
const banner = document.getElementById("offline");
const writes = "[hx-post], form[method=post] :is(button, [type=submit])";
let lastAnswer = new Date();
let again;

function takePensAway(root) {
  for (const form of root.querySelectorAll("form[hx-post]")) {
    for (const button of form.querySelectorAll("button:not([type=button])")) hold(button);
  }
  for (const control of root.querySelectorAll(writes)) if (control.matches("button, input")) hold(control);
}

function hold(control) {
  if (control.disabled) return;
  control.disabled = true;
  control.dataset.held = "";
}

function lost() {
  if (!banner.hidden) return;
  const text = banner.querySelector("[data-offline-text]");
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const time = lastAnswer.toLocaleTimeString(document.documentElement.lang, clock);
  text.textContent = text.dataset.offlineText.replace("{time}", time);
  banner.hidden = false;
  takePensAway(document);
  again = setInterval(() => htmx.trigger(document.body, "look-again"), 5000);
}

function found() {
  lastAnswer = new Date();
  if (banner.hidden) return;
  banner.hidden = true;
  clearInterval(again);
  for (const control of document.querySelectorAll("[data-held]")) {
    control.disabled = false;
    delete control.dataset.held;
  }
}

if (banner) {
  document.addEventListener("htmx:before:response", found);
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => { if (ctx && !ctx.response) lost(); });
  // htmx gives the buttons of a failed request back after this event.
  document.addEventListener("htmx:finally:request", () => { if (!banner.hidden) setTimeout(takePensAway, 0, document); });
  window.addEventListener("online", () => { if (!banner.hidden) htmx.trigger(document.body, "look-again"); });
}
