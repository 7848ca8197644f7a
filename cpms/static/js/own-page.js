// A sheet that is a page of its own is sent by the browser and comes back as a page: in the dialog it would be a second
// form over the first. Before the browser goes, the server is asked whether it is there and the session still open, for
// a page that was left takes what was typed with it.
import { leaves } from "./leave.js";

const awake = document.querySelector("[data-awake]");
let waiting; // {form, submitter} until the answer

function send({ form, submitter }) {
  const { name, value } = submitter ?? {};
  if (name) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  leaves(form);
  form.submit();
}

if (awake) {
  document.addEventListener("htmx:before:request", (event) => {
    const { sourceElement: form, sourceEvent } = event.detail.ctx;
    if (!form.matches('.main > .sheet form[hx-target="#dialog"]')) return;
    event.preventDefault();
    waiting = { form, submitter: sourceEvent?.submitter };
    htmx.trigger(awake, "ask");
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement !== awake || !waiting) return;
    const status = ctx.response?.status;
    if (status === 401) return; // the sign-in sheet is open: see below
    const asked = waiting;
    waiting = undefined;
    if (status === 204) send(asked);
  });
  document.addEventListener("session-open", () => {
    const asked = waiting;
    waiting = undefined;
    if (asked) send(asked);
  });
}
