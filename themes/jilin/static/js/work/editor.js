// Small helps for the entry editor; the form is complete without them.
"use strict";
(() => {
  const form = document.querySelector(".editor-form");
  if (!form) return;
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
  // After adding or removing a row the page comes back: keep the reader where they were.
  const place = "editor-place:" + form.getAttribute("action");
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || !["add", "remove"].includes(button.name)) return;
    const fieldset = button.closest("fieldset");
    if (fieldset) sessionStorage.setItem(place, fieldset.id + (button.name === "add" ? ":add" : ""));
  });
  const kept = sessionStorage.getItem(place);
  if (kept) {
    sessionStorage.removeItem(place);
    changed = true;
    const [id, added] = kept.split(":");
    const fieldset = document.getElementById(id);
    if (fieldset) {
      const rows = fieldset.querySelectorAll(".repeat");
      const target = added && rows.length ? rows[rows.length - 1].querySelector("input, select") : null;
      (target || fieldset).scrollIntoView({ block: "center" });
      if (target) target.focus();
    }
  }
})();
