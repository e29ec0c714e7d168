// While a table is being read, look again; while a file is being sent, say so.
"use strict";
(() => {
  if (document.querySelector(".file [role=status]")) {
    window.setInterval(() => {
      if (!document.querySelector(".upload-panel")) window.location.reload(); // an upload goes on
    }, 3000);
  }
  for (const form of document.querySelectorAll("form[data-busy]")) {
    form.addEventListener("submit", () => {
      const button = form.querySelector("button[type=submit]");
      button.setAttribute("aria-disabled", "true");
      const note = document.createElement("p");
      note.setAttribute("role", "status");
      note.textContent = form.dataset.busy;
      button.after(note);
    });
  }
})();
