// Attach a behaviour once to every element that matches, now and after each swap.
// htmx may have looked at the page before this module arrived, and a swapped root is itself a match.
export function each(selector, attach) {
  const known = new WeakSet();
  const look = (root) => {
    const found = root.matches?.(selector) ? [root] : [];
    for (const element of [...found, ...root.querySelectorAll(selector)]) {
      if (known.has(element)) continue;
      known.add(element);
      attach(element);
    }
  };
  htmx.onLoad(look);
  look(document.body);
}
