/* Suggestions while typing: a combobox after the ARIA pattern "list autocomplete with manual
   selection". Without this file the form is a plain search form. */
(() => {
  "use strict";
  const WAIT_MS = 120;

  const enhance = (form) => {
    const input = form.querySelector("input[type=search]");
    if (!input) return;
    const list = document.createElement("ul");
    const frame = document.createElement("div");
    list.id = `${input.id}-suggestions`;
    list.className = "suggestions";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", form.dataset.suggestLabel || document.querySelector(`label[for=${input.id}]`)?.textContent || "");
    frame.className = "suggest-frame";
    input.replaceWith(frame);
    frame.append(input, list);
    const attributes = { role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id };
    for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);

    let shown = [];
    let at = -1;
    let timer = 0;
    let asking = null;

    const close = () => {
      clearTimeout(timer);
      asking?.abort();
      list.hidden = true;
      at = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const select = (place) => {
      at = place;
      [...list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === at)));
      if (at < 0) input.removeAttribute("aria-activedescendant");
      else {
        input.setAttribute("aria-activedescendant", list.children[at].id);
        list.children[at].scrollIntoView({ block: "nearest" });
      }
    };
    const show = (found) => {
      shown = found;
      list.replaceChildren(...found.map((one, n) => {
        const item = document.createElement("li");
        const text = document.createElement("span");
        const kind = document.createElement("span");
        item.id = `${list.id}-${n}`;
        item.setAttribute("role", "option");
        text.textContent = one.text;
        kind.textContent = one.label;
        item.append(text, kind);
        item.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus
        item.addEventListener("click", () => { location.href = shown[n].url; });
        return item;
      }));
      select(-1);
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(!list.hidden));
    };
    const ask = async () => {
      const typed = input.value.trim();
      if (!typed) return close();
      asking?.abort();
      asking = new AbortController();
      try {
        const answer = await fetch(`${form.dataset.suggest}?${new URLSearchParams({ q: typed })}`, { signal: asking.signal });
        if (answer.ok && document.activeElement === input) show((await answer.json()).suggestions);
      } catch (error) {
        if (error.name !== "AbortError") close(); // no suggestions are no reason to stop anybody
      }
    };

    input.addEventListener("input", (event) => {
      clearTimeout(timer);
      if (!event.isComposing) timer = setTimeout(ask, WAIT_MS);
    });
    input.addEventListener("compositionend", () => { timer = setTimeout(ask, WAIT_MS); });
    input.addEventListener("blur", close);
    form.addEventListener("submit", close);
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      const last = shown.length - 1;
      if (event.key === "ArrowDown" && list.hidden) { event.preventDefault(); ask(); }
      else if (list.hidden) return;
      else if (event.key === "ArrowDown") { event.preventDefault(); select(at === last ? -1 : at + 1); }
      else if (event.key === "ArrowUp") { event.preventDefault(); select(at < 0 ? last : at - 1); }
      else if (event.key === "Escape") { event.preventDefault(); close(); }
      else if (event.key === "Tab") close();
      else if (event.key === "Enter" && at >= 0) { event.preventDefault(); location.href = shown[at].url; }
    });
  };

  document.querySelectorAll("form[data-suggest]").forEach(enhance);
})();
