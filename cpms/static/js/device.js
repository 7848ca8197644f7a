// What worker.js keeps on the device. Browsers have workers only where the connection is safe; elsewhere nobody asks.
const workers = navigator.serviceWorker;
const stores = globalThis.caches;
const DAY = "day"; // as worker.js names it

// What is kept goes with the session: at its end, and wherever nobody is signed in. A page that was reloaded by force
// has no controller, and still there is a worker that may be about to keep something.
function forget() {
  workers.getRegistration().then((found) => found?.active?.postMessage({ forget: true })).catch(() => {});
  stores?.delete(DAY).catch(() => {});
}

async function showKeptSheet() {
  const copy = await stores?.match("/today/sheet", { cacheName: DAY }).catch(() => undefined);
  for (const link of document.querySelectorAll("[data-kept-sheet]")) link.hidden = !copy;
}

async function keep(who) {
  if (document.hidden || document.getElementById("lock")?.open) return;
  const { active } = await workers.ready;
  active.postMessage({ keep: true, who, language: document.documentElement.lang });
}

showKeptSheet();
document.addEventListener("connection-lost", showKeptSheet);
if (document.body.matches("[data-nobody]")) forget();
const who = document.body.dataset.keepsFor;
if (who) {
  document.addEventListener("htmx:before:response", ({ detail: { ctx } }) => { if (ctx.response?.status === 401) forget(); });
  // Without a certificate that the browser trusts it refuses: then nothing is kept.
  workers.register("/worker.js").then(() => keep(who)).catch(() => {});
  setInterval(keep, 60_000, who);
}
