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

const send = (form, field, file, item) => new Promise((resolve) => {
  const body = new FormData(form);
  body.delete(field.name);
  body.append(field.name, file);
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("X-Upload", "1");
  request.upload.onprogress = ({ loaded, total }) => { item.querySelector("progress").value = loaded / total; };
  request.onload = () => resolve(request);
  request.onerror = request.onabort = request.ontimeout = () => resolve(null);
  request.send(body);
});

function settle(form, request, item) {
  const next = request?.getResponseHeader("HX-Redirect");
  if (next) return location.assign(next);
  const answer = document.createElement("template");
  answer.innerHTML = request?.responseText ?? "";
  const told = answer.content.querySelector("li.uploaded");
  if (told) return item.replaceWith(told);
  const words = answer.content.querySelector(".toast")?.textContent.trim() || form.dataset.broken;
  item.querySelector("progress").remove();
  item.append(Object.assign(document.createElement("span"), { className: "problem", textContent: words }));
}

export async function sendAll(form, files) {
  const field = form.querySelector("input[type=file]");
  const items = files.map((file) => [file, line(form, file)]);
  form.setAttribute("aria-busy", "true");
  for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = true;
  for (const [file, item] of items) settle(form, await send(form, field, file, item), item);
  for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = false;
  form.removeAttribute("aria-busy");
  field.value = "";
  if (form.dataset.upload) htmx.trigger(document.body, form.dataset.upload);
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-upload]");
  const files = [...(form?.querySelector("input[type=file]")?.files ?? [])];
  if (!files.length) return; // the server says that a file is missing
  event.preventDefault();
  sendAll(form, files);
});
