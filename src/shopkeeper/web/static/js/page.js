// What every page needs: the key that goes to the search field, and the choice that shows as current.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const field = document.querySelector(`[data-hotkey="${CSS.escape(event.key)}"]`);
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// The timeline's filter stays on the page while its results are exchanged.
document.addEventListener("click", (event) => {
  const choice = event.target.closest("#timeline .chips a");
  if (!choice) return;
  for (const other of choice.parentElement.children) other.removeAttribute("aria-current");
  choice.setAttribute("aria-current", "true");
});

// A search keeps the order and the state that were chosen last.
document.addEventListener("click", (event) => {
  const choice = event.target.closest("#results .chips a");
  if (!choice) return;
  for (const name of ["sort", "state"]) {
    const field = document.querySelector(`.search input[name="${name}"]`);
    if (field) field.value = new URL(choice.href).searchParams.get(name) || "";
  }
});

// Where the rooms or the choices do not all fit, the one that one is at is in sight.
const toCurrent = () => {
  for (const current of document.querySelectorAll(".rooms [aria-current], .chips [aria-current]")) {
    const row = current.parentElement;
    row.scrollLeft = Math.max(0, current.offsetLeft + current.offsetWidth - row.offsetLeft - row.clientWidth + 48);
  }
};
toCurrent();
document.addEventListener("htmx:after:swap", toCurrent);

// A link that signs somebody in is used up by a click of its own, which a browser can do for them.
for (const form of document.querySelectorAll("form[data-at-once]")) form.requestSubmit();
