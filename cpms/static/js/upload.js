// Files go one by one, each with its own progress; htmx's fetch cannot tell how far it is. The server answers each with
// a line for the list, or with where to go on. Without this module the form sends all of them at once.
const line = (form, file) => {
  const item = document.createElement("li");
  const name = Object.assign(document.createElement("bdi"), { textContent: file.name });
  const bar = Object.assign(document.createElement("progress"), { className: "bar", max: 1, value: 0 });
  bar.setAttribute("aria-label", file.name);
  item.append(name, bar);
  form.querySelector("[data-uploads]").append(item);
  return item;
};

const send = (form, field, file, item, more = {}) => new Promise((resolve) => {
  const body = new FormData(form);
  body.delete(field.name);
  body.append(field.name, file);
  for (const [name, value] of Object.entries(more)) body.set(name, value);
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("X-Upload", "1");
  request.upload.onprogress = ({ loaded, total }) => { item.querySelector("progress").value = loaded / total; };
  request.onload = () => resolve(request);
  request.onerror = request.onabort = request.ontimeout = () => resolve(null);
  request.send(body);
});

// Of a file that did not arrive: why, and a way to send it once more while the page still holds it.
const say = (form, item, words, canRetry) => {
  item.querySelector("progress")?.remove();
  item.append(Object.assign(document.createElement("span"), { className: "problem", textContent: words }));
  if (!canRetry || !form.dataset.again) return;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button plain", textContent: form.dataset.again });
  button.dataset.again = "";
  item.append(button);
};

async function one(form, field, file, item, more = {}) {
  if (form.dataset.most && file.size > Number(form.dataset.most)) return say(form, item, form.dataset.tooLarge);
  const request = await send(form, field, file, item, more);
  const next = request?.getResponseHeader("HX-Redirect");
  if (next) return location.assign(next);
  const answer = document.createElement("template");
  answer.innerHTML = request?.responseText ?? "";
  const told = answer.content.querySelector("li.uploaded");
  const status = request?.status ?? 0;
  if (told) item.replaceWith(told);
  else if (status === 401 && form.dataset.signedOut) {
    say(form, item, form.dataset.signedOut, true);
    document.dispatchEvent(new Event("visibilitychange")); // the page asks whether it is signed in, and is covered
  } else say(form, item, answer.content.querySelector(".toast > p")?.textContent.trim() || form.dataset.broken, status === 0 || status >= 500);
  // A file that is sent once more: as it is, or with the field set that its question names.
  const shown = told ?? item;
  const again = shown.querySelector("[data-again]");
  again?.addEventListener("click", async () => {
    const next = line(form, file);
    shown.replaceWith(next);
    await one(form, field, file, next, again.dataset.again ? { ...more, [again.dataset.again]: "y" } : more);
    changed(form);
  });
}

function changed(form) {
  if (form.dataset.upload) htmx.trigger(document.body, form.dataset.upload);
}

async function sendAll(form, field) {
  const items = [...field.files].map((file) => [file, line(form, file)]);
  const buttons = form.querySelectorAll("button[type=submit]");
  form.setAttribute("aria-busy", "true");
  for (const button of buttons) button.disabled = true;
  for (const [file, item] of items) await one(form, field, file, item);
  for (const button of buttons) button.disabled = false;
  form.removeAttribute("aria-busy");
  field.value = "";
  form.dispatchEvent(new Event("upload:over", { bubbles: true }));
  changed(form);
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-upload]");
  const field = form?.querySelector("input[type=file]");
  if (!field?.files.length) return; // the server says that a file is missing
  event.preventDefault();
  sendAll(form, field);
});

// Files dropped anywhere on the page's part that wants them wait in the form's field until somebody says "Store".
for (const place of document.querySelectorAll("[data-drop]")) {
  const brings = (event) => event.dataTransfer?.types.includes("Files");
  place.addEventListener("dragover", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    place.classList.add("dropping");
  });
  place.addEventListener("dragleave", (event) => { if (!place.contains(event.relatedTarget)) place.classList.remove("dropping"); });
  place.addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    place.classList.remove("dropping");
    const form = document.getElementById(place.dataset.drop);
    form.closest("details")?.setAttribute("open", "");
    form.querySelector("input[type=file]").files = event.dataTransfer.files;
    form.querySelector("button[type=submit]").focus();
    form.scrollIntoView({ block: "nearest" });
  });
}
