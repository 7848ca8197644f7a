// A session that is over: the server answers 401 with a sign-in sheet for #lock. It covers the page, what was typed
// stays under it, and after signing in the interrupted action goes on its way again.
const lock = document.getElementById("lock");
const acts = ["submit", "click", "change"];
let interrupted;
let signedIn = false;

const isOver = (ctx) => ctx.response?.status === 401;
const isInside = (ctx) => lock.contains(ctx.sourceElement);

// The sentences at the foot may name a patient, and they move into whatever sheet is open.
function open() {
  if (!lock.open) {
    document.getElementById("toasts")?.replaceChildren();
    lock.showModal();
  }
  (lock.querySelector('[aria-invalid="true"], [autofocus]') ?? lock.querySelector("input:not([type=hidden])"))?.focus();
}

function refresh(token) {
  document.body.setAttribute("hx-headers:inherited", JSON.stringify({ "X-CSRFToken": token }));
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
}

function resume() {
  const { element, type, submitter } = interrupted ?? {};
  interrupted = undefined;
  if (!element?.isConnected) return;
  if (type === "submit") element.requestSubmit(submitter?.isConnected ? submitter : undefined);
  else if (type === "click") element.click();
  else htmx.trigger(element, type);
}

if (lock) {
  // While the page is covered nothing behind it speaks to the server, or a poll would replace the sheet being filled in.
  document.addEventListener("htmx:before:request", (event) => {
    if (lock.open && !isInside(event.detail.ctx)) event.preventDefault();
  });

  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    if (!isOver(ctx) || isInside(ctx)) return;
    if (!interrupted && acts.includes(ctx.sourceEvent?.type) && !ctx.sourceElement.matches("[data-locks]")) {
      interrupted = { element: ctx.sourceElement, type: ctx.sourceEvent.type, submitter: ctx.sourceEvent.submitter };
    }
    if (lock.open) event.preventDefault();
  });

  document.addEventListener("htmx:after:swap", () => { if (lock.childElementCount && !signedIn) open(); });

  document.addEventListener("session-open", (event) => {
    if (event.detail?.csrf) refresh(event.detail.csrf);
    signedIn = true;
    lock.close();
    resume();
  });

  lock.addEventListener("cancel", (event) => event.preventDefault());
  // A browser lets Escape through when it is pressed twice.
  lock.addEventListener("close", () => {
    if (!signedIn) return open();
    signedIn = false;
    lock.replaceChildren();
  });
}
