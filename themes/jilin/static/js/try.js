/* Shows the answer of a trial call beside its form; without script the browser opens the answer. */
(() => {
  "use strict";
  const form = document.querySelector("form.try");
  const answer = document.querySelector(".try-answer");
  if (!form || !answer) return;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const line = answer.querySelector("p"), text = answer.querySelector("pre");
    const address = form.getAttribute("action") + "?" + new URLSearchParams(new FormData(form));
    answer.hidden = false;
    line.textContent = answer.dataset.wait;
    text.textContent = "";
    const started = performance.now();
    try {
      const response = await fetch(address);
      text.textContent = JSON.stringify(await response.json(), null, 2);
      const took = Math.round(performance.now() - started);
      line.textContent = `GET ${decodeURI(address)} · ${response.status} · ${answer.dataset.took} ${took} ms`;
    } catch {
      line.textContent = answer.dataset.failed;
    }
  });
})();
