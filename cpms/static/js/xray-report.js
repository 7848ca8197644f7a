// A phrase of the clinic goes where the pen stands: into the field of the report that was written in last.
let field = null;

document.addEventListener("focusin", ({ target }) => { if (target.matches("[data-phrases-into]")) field = target; });

document.addEventListener("click", ({ target }) => {
  const phrase = target.closest("[data-phrase]")?.dataset.phrase;
  if (!phrase) return;
  const into = field?.isConnected ? field : document.querySelector("[data-phrases-into]");
  const before = into.value.slice(0, into.selectionStart);
  const space = before && !/\s$/.test(before) ? " " : "";
  into.setRangeText(space + phrase, into.selectionStart, into.selectionEnd, "end");
  into.dispatchEvent(new Event("input", { bubbles: true }));
  into.focus();
});
