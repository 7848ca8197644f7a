// The worker of the device (`device.py` tells it the addresses). What it may keep, and nothing else: the frame's files
// of this version, the page for when the server is away, and today's list. A page always comes from the server while
// that answers; the list is shown only when it does not, with the time of its reading, and is gone with the session,
// with the next person, and with the day.
const { files, offline, sheet } = self.CPMS;
const SHELL = `shell-${files[0]}`;
const DAY = "day";
let turn = 0; // rises when all must be forgotten, so that an answer on its way is not kept after that

const isOver = (copy) => Date.now() >= 1000 * Number(copy.headers.get("X-Sheet-Until"));

function forget() {
  turn += 1;
  return caches.delete(DAY);
}

async function kept() {
  if (!(await caches.has(DAY))) return undefined;
  const copy = await (await caches.open(DAY)).match(sheet);
  if (copy && !isOver(copy)) return copy;
  await forget();
  return undefined;
}

async function keep(who) {
  const copy = await kept();
  if (copy && copy.headers.get("X-Sheet-For") !== who) await forget();
  const mine = turn;
  let answer;
  try {
    // Asked by itself, so that it keeps nobody's session awake.
    answer = await fetch(`${sheet}?rev=kept`, { cache: "no-store", redirect: "manual" });
  } catch {
    return; // the server is away: what is kept is for now
  }
  if (answer.status >= 500) return;
  if (!answer.ok || !answer.headers.has("X-Sheet-Until")) await forget(); // the session is over
  else if (mine === turn) await (await caches.open(DAY)).put(sheet, answer);
}

// The page for when the server is away, in the language of who reads here now.
async function speak(language) {
  const shell = await caches.open(SHELL);
  const copy = await shell.match(offline);
  if (copy?.headers.get("Content-Language") !== language) await shell.add(offline).catch(() => {});
}

async function page(event, path) {
  try {
    const answer = (await event.preloadResponse) ?? (await fetch(event.request));
    const isProxys = answer.status >= 502 && !answer.headers.has("X-Request-Id");
    if (!isProxys) return answer;
  } catch { /* no answer at all */ }
  const copy = path === sheet ? await kept() : undefined;
  if (!copy) return (await caches.match(offline)) ?? Response.error();
  const headers = new Headers(copy.headers);
  for (const name of ["Content-Encoding", "Content-Length"]) headers.delete(name);
  return new Response((await copy.text()).replace("<body", "<body data-kept"), { headers });
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(SHELL).then((shell) => shell.addAll([...files, offline])));
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) if (![SHELL, DAY].includes(name)) await caches.delete(name);
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

self.addEventListener("message", (event) => {
  const { data } = event;
  event.waitUntil(data.forget ? forget() : Promise.all([keep(data.who), speak(data.language)]));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (files.includes(pathname)) event.respondWith(caches.match(request).then((file) => file ?? fetch(request)));
  else if (request.mode === "navigate") event.respondWith(page(event, pathname));
});
