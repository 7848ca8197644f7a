// `?` shows every key. Where a letter would be typed it is a letter, and a page with a list of its own shows that one.
document.addEventListener("keydown", (event) => {
  if (event.key !== "?" || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog:modal")) return;
  const link = document.querySelector("[data-keys]");
  if (!link) return;
  event.preventDefault();
  link.click();
});
