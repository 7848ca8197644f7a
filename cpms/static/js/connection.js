// When the clinic's server does not answer: say so, say from when the page is, and take the pens away.
const banner = document.getElementById("offline");
const writes = "form:is([hx-post], [method=post]) :is(button:not([type=button]), [type=submit]), button[hx-post]:not([data-toast-close])";
const main = document.querySelector("main");
let lastAnswer = new Date(performance.timeOrigin);
let again;

// Each answer of the program carries its name; a proxy that stands before a stopped server has an answer of its own.
const isOurs = ({ response }) => response?.headers.has("X-Request-Id");
const lookAgain = () => htmx.trigger(document.body, "look-again");

// Under an open sheet nobody could read or press it: it goes in with what is out of reach.
const usual = banner?.previousElementSibling;
const moveIn = () => [...document.querySelectorAll("dialog:modal")].at(-1)?.prepend(banner);
const moveOut = () => usual.after(banner);

function takePensAway() {
  for (const control of document.querySelectorAll(writes)) {
    if (control.disabled) continue;
    control.disabled = true;
    control.dataset.held = "";
  }
}

function lost() {
  if (!banner.hidden) return;
  const text = banner.querySelector("[data-offline-text]");
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: text.dataset.zone };
  const time = lastAnswer.toLocaleTimeString(document.documentElement.lang, clock);
  text.textContent = text.dataset.offlineText.replace("{time}", time);
  moveIn();
  banner.hidden = false;
  document.dispatchEvent(new Event("connection-lost"));
  takePensAway();
  again = setInterval(lookAgain, 5000);
}

function found({ sourceElement }) {
  if (main.contains(sourceElement)) lastAnswer = new Date(); // what the frame asks is no news about the page
  if (banner.hidden) return;
  banner.hidden = true;
  moveOut();
  clearInterval(again);
  for (const control of document.querySelectorAll("[data-held]")) {
    control.disabled = false;
    delete control.dataset.held;
  }
}

if (banner) {
  document.addEventListener("htmx:before:response", ({ detail: { ctx } }) => (isOurs(ctx) ? found(ctx) : lost()));
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => { if (ctx && !ctx.response) lost(); });
  // htmx gives the buttons of a failed request back after this event.
  document.addEventListener("htmx:finally:request", () => { if (!banner.hidden) setTimeout(takePensAway); });
  document.addEventListener("close", moveOut, true);
  window.addEventListener("online", lookAgain);
  window.addEventListener("offline", lookAgain);
}
