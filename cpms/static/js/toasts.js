// Sentences at the foot of the screen, at the head of an open dialog, or where a page has a place for them.
// They go by themselves unless they are errors or somebody is at them.
const toasts = document.getElementById("toasts");
const TICK = 250;
const MOST = 3;
const base = document.querySelector("[data-toasts-here]") ?? document.body; // not within what is swapped

// Everything outside an open dialog is out of reach.
function moveIn() {
  const home = [...document.querySelectorAll("dialog:modal")].at(-1) ?? base;
  if (toasts.parentElement !== home) home.append(toasts);
}

function moveOut() {
  if (toasts.parentElement !== base) base.append(toasts);
}

// Of two that say the same only the newer: a pile hides what is new.
function thin() {
  const said = new Set();
  for (const toast of [...toasts.children].reverse()) {
    const words = toast.querySelector("p").textContent;
    if (said.size === MOST || said.has(words)) toast.remove();
    else said.add(words);
  }
}

// While nobody looks time stands still, but what could be undone a minute ago is old.
function tick() {
  if (toasts.matches(":hover, :focus-within")) return;
  for (const toast of toasts.querySelectorAll("[data-seconds]")) {
    toast.end ??= Date.now() + 60_000;
    toast.left ??= toast.dataset.seconds * 1000;
    if (!document.hidden) toast.left -= TICK;
    if (toast.left <= 0 || (toast.end < Date.now() && toast.querySelector("form"))) toast.remove();
  }
}

if (toasts) {
  moveOut();
  setInterval(tick, TICK);
  document.addEventListener("htmx:before:swap", moveOut);
  document.addEventListener("htmx:after:swap", () => {
    thin();
    moveIn();
  });
  document.addEventListener("close", moveOut, true);
  toasts.addEventListener("click", (event) => {
    if (event.target.closest("[data-toast-close]")) event.target.closest(".toast").remove();
  });
  toasts.addEventListener("htmx:finally:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.response?.status < 400) ctx.sourceElement.closest(".toast")?.remove();
  });
}
