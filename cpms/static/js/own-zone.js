// The clinic is where its browser is, more often than where the clock of a new machine was set. The page asks all the same.
const zones = document.querySelector("[data-own-zone]");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
if ([...(zones?.options ?? [])].some(({ value }) => value === here)) zones.value = here;
