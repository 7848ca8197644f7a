// A thin line while somebody waits for longer than 250 ms. What a screen asks by itself shows nothing.
const line = document.querySelector("[data-progress]");
const waiting = new Set();
let timer;

const byItself = (ctx) => ["every", "load", "visibilitychange", "look-again"].includes(ctx.sourceEvent?.type);

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (byItself(ctx)) return;
  waiting.add(ctx);
  timer ??= setTimeout(() => { line.hidden = false; }, 250);
});

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  waiting.delete(ctx);
  if (waiting.size > 0) return;
  clearTimeout(timer);
  timer = undefined;
  line.hidden = true;
});
