/* Comforts only: every page works without this file. */
(() => {
  "use strict";
  // An error summary is what a person needs first after a refused form.
  document.querySelector(".error-summary")?.focus();

  // A second click on a slow form sends nothing; the server would refuse the repetition anyway.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method !== "post") return;
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-disabled", "true");
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
    document.querySelectorAll("button[aria-disabled]").forEach((b) => b.removeAttribute("aria-disabled"));
  });

  // Menus and drawers stand open on wide screens; browsers that cannot do that by style do it here.
  if (!CSS.supports("selector(::details-content)") && matchMedia("(min-width: 900px)").matches) {
    document.querySelectorAll(".menu, .drawer").forEach((d) => { d.open = true; });
  }

  // The section that is open lies within the bar of sections, which scrolls on a telephone.
  const tabs = document.querySelector(".work-tabs");
  const open = tabs?.querySelector("[aria-current]");
  if (open && tabs.scrollWidth > tabs.clientWidth) {
    tabs.scrollLeft = open.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - open.offsetWidth) / 2;
  }

  // Buttons that copy the text of another element; shown only where copying works.
  if (navigator.clipboard) {
    document.querySelectorAll("button[data-copy]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", async () => {
        const source = document.getElementById(button.dataset.copy);
        await navigator.clipboard.writeText(source.textContent.trim());
        button.textContent = button.dataset.copied;
      });
    });
  }

  // A choice that sends its form at once (sorting, rows a page); a button does it without script.
  document.querySelectorAll("[data-submit-on-change]").forEach((field) => {
    field.addEventListener("change", () => field.form.requestSubmit());
  });
})();
