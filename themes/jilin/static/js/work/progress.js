// Shows how far the look through a long list is; without script a link loads the page anew.
"use strict";
(() => {
  const section = document.getElementById("checking");
  if (!section) return;
  const bar = document.getElementById("checking-bar");
  const text = document.getElementById("checking-text");
  const look = async () => {
    const answer = await fetch(section.dataset.state, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) {
      const { stage, done, total } = await answer.json();
      if (stage === "done" || stage === "failed") { window.location.reload(); return; }
      if (total) {
        bar.max = total;
        bar.value = done;
        text.textContent = `${done} / ${total}`;
      }
    }
    window.setTimeout(look, 1000);
  };
  look();
})();
