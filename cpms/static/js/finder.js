// A field that searches while typing: Up, Down, Enter, Escape. Links are followed; a value goes into the form:
// [data-value] is written to the field named by the finder's data-into, and the option's words to the search field.
import { each } from "./each.js";

each("[data-finder]", (finder) => {
  const input = finder.querySelector("[role=combobox]");
  const list = () => document.getElementById(input.getAttribute("aria-controls"));
  const options = () => [...(list()?.querySelectorAll("[role=option]:not([aria-disabled])") ?? [])];
  // The options may still answer an earlier text: Enter waits for those that answer what stands in the field.
  // A choice, and what stands there from the start, is an answer already.
  let asked, answered = input.value, enter;

  function show(visible) {
    const box = list();
    if (!box) return;
    box.hidden = !visible || box.childElementCount === 0;
    input.setAttribute("aria-expanded", String(!box.hidden));
    if (box.hidden) input.removeAttribute("aria-activedescendant");
  }

  function mark(option) {
    options().forEach((other, index) => {
      other.id ||= `${list().id}-${index}`;
      other.setAttribute("aria-selected", String(other === option));
    });
    if (!option) return;
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const all = options();
    if (!all.length) return;
    if (list().hidden) {
      show(true);
      return mark(all[0]);
    }
    const now = all.findIndex((option) => option.ariaSelected === "true");
    mark(all.at((now < 0 && by < 0 ? 0 : now) + by) ?? all[0]);
  }

  function choose(option) {
    const into = input.form?.elements[input.dataset.into];
    if (!into || option.dataset.value === undefined) return;
    into.value = option.dataset.value;
    input.value = answered = option.dataset.text ?? option.firstElementChild.textContent;
    for (const name of ["aria-invalid", "aria-describedby"]) input.removeAttribute(name); // the wrong answer is no more
    show(false);
    into.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  }

  const keys = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Enter: () => {
      if (input.value.trim() && input.value !== answered) { enter = true; return; }
      const box = list();
      if (!box || box.hidden) return false;
      (options().find((option) => option.ariaSelected === "true") ?? options()[0])?.click();
    },
    Escape: () => {
      if (list()?.hidden !== false) return false;
      show(false);
    },
  };
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || !keys[event.key] || keys[event.key]() === false) return;
    event.preventDefault();
    event.stopPropagation();
  });
  // Typing on after a choice takes the choice back: the words no longer name it.
  input.addEventListener("input", () => {
    enter = false;
    const into = input.form?.elements[input.dataset.into];
    if (into?.value) { into.value = ""; into.dispatchEvent(new Event("change", { bubbles: true })); }
    if (!input.value.trim()) show(false);
    else if (input.value === answered) show(true); // typed again: htmx does not ask twice for the same words
  });
  input.addEventListener("htmx:before:request", () => { asked = input.value; });
  input.addEventListener("htmx:after:swap", () => {
    answered = asked;
    show(document.activeElement === input && input.value.trim() !== "");
    mark(options()[0]);
    if (enter && input.value === answered) { enter = false; options()[0]?.click(); }
  });
  input.addEventListener("focus", () => { if (input.value.trim()) show(true); });
  finder.addEventListener("focusout", (event) => { if (!finder.contains(event.relatedTarget)) show(false); });
  finder.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    choose(option);
    // What was looked for is found: after the sheet that opens now the field is for something else.
    if (input.matches("[data-search]")) { input.value = answered = ""; show(false); }
  });
});

// From any screen: `/` or Ctrl-K, and Escape gives the focus back; `?` lists every key, unless the page has its own list.
let before;
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.defaultPrevented || document.querySelector("dialog:modal")) return;
  const search = document.querySelector("[data-search]");
  const keys = document.querySelector("[data-keys]");
  const modified = event.ctrlKey || event.metaKey;
  const isLetter = !modified && !event.altKey && !target.closest("input, textarea, select, [contenteditable]");
  const isFree = isLetter || (target.type === "search" && !target.value); // no search begins with a stroke
  if (search && ((modified && key.toLowerCase() === "k") || (isFree && !modified && key === "/"))) {
    event.preventDefault();
    if (document.activeElement !== search) before = document.activeElement;
    search.focus();
    search.select();
  } else if (keys && isLetter && key === "?") {
    event.preventDefault();
    keys.click();
  } else if (search && key === "Escape" && target === search) {
    search.value = "";
    search.blur();
    before?.focus();
  }
});
