// An appointment type has a usual length: choosing the type sets the minutes, until the person has set them by hand.
import { each } from "./each.js";

each("select[data-sets-minutes]", (select) => {
  const minutes = select.form?.elements.minutes;
  if (!minutes) return;
  let byHand = false;
  minutes.addEventListener("input", () => { byHand = true; });
  select.addEventListener("change", () => {
    const usual = select.selectedOptions[0]?.dataset.minutes;
    if (usual && !byHand) minutes.value = usual;
  });
});
