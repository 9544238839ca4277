// Completes what is typed into the search box; the form works without this, and nobody waits for it who does not search.
const PAGES = ["treatments", "conditions"]; // what is suggested and has a page; a search finds the rest
const form = document.querySelector("form.search");
const field = form.elements.q;

async function start() {
  const { combobox, items, spoken } = await import("./combobox.js");
  const release = form.elements.release?.value;
  const pinned = release ? { release } : {};
  combobox(field, {
    ask: (signal) => items(`/v1/suggest?${new URLSearchParams({ q: field.value, ...pinned })}`, signal),
    say: ({ kind, name, label }) => [label, [label === name ? "" : name, spoken(kind)].filter(Boolean).join(" · ")],
    choose({ kind, id, label }) {
      field.value = label;
      if (PAGES.includes(kind)) location.assign(`/${kind}/${id}?${new URLSearchParams(pinned)}`.replace(/\?$/, ""));
      else form.requestSubmit();
    },
  });
  if (field.value) field.dispatchEvent(new Event("input")); // what was typed meanwhile
}

for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"]]) field.setAttribute(name, value);
if (document.activeElement === field) start();
else field.addEventListener("focus", start, { once: true });
