// A free time that was found for a form goes into its fields; the way back leaves them as they were.
document.addEventListener("click", ({ target }) => {
  const button = target.closest(".free-panel :is([data-fill], [data-free-back])");
  if (!button) return;
  const panel = button.closest(".free-panel");
  const form = panel.closest(".sheet").querySelector(":scope > form");
  for (const [name, value] of Object.entries(JSON.parse(button.dataset.fill ?? "{}"))) {
    form.elements[name].value = value;
    form.elements[name].dispatchEvent(new Event("change", { bubbles: true }));
  }
  panel.replaceChildren();
  form.querySelector("[data-find-time]").focus();
});
