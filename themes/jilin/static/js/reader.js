/* Reads the page aloud in the version for the old, by a voice of the device: no text leaves it. */
(() => {
  "use strict";
  const speech = window.speechSynthesis;
  const bar = document.querySelector(".reader-bar");
  if (!speech || !bar) return;
  const button = (name) => bar.querySelector(`[data-read="${name}"]`);
  const status = bar.querySelector(".reader-say");
  const language = document.documentElement.lang.startsWith("en") ? "en" : "zh";
  const BLOCKS = "h1, h2, h3, h4, p, li, dt, dd, th, td, caption, summary, label, legend, button, pre";
  let parts = [], at = -1, run = 0;

  const show = (...names) => {
    for (const name of ["start", "pause", "stop"]) button(name).parentElement.hidden = !names.includes(name);
  };
  const words = (element) => (element.innerText || "").replace(/\s+/g, " ").trim();

  // The smallest blocks with words of their own, in the order of the page, without what is hidden.
  const gather = () => [...document.querySelectorAll(`#main :is(${BLOCKS})`)].filter((block) =>
    !block.querySelector(BLOCKS) && block.getClientRects().length && words(block));

  // Only voices on the device: others would send the text to somebody's servers.
  const voice = () => speech.getVoices().find((v) => v.localService && v.lang.toLowerCase().startsWith(language));

  const mark = (element) => {
    document.querySelectorAll(".being-read").forEach((e) => e.classList.remove("being-read"));
    if (!element) return;
    element.classList.add("being-read");
    element.scrollIntoView({ block: "nearest" });
  };

  const next = (mine) => {
    if (mine !== run) return;
    at += 1;
    mark(parts[at]);
    if (at >= parts.length) { stop(status.dataset.done); return; }
    const saying = new SpeechSynthesisUtterance(words(parts[at]));
    saying.lang = document.documentElement.lang;
    saying.voice = voice();
    saying.rate = 0.9;
    saying.onend = () => next(mine);
    saying.onerror = () => { if (mine === run) stop(""); };
    speech.speak(saying);
  };

  const stop = (message) => {
    run += 1;
    speech.cancel();
    mark(null);
    status.textContent = message;
    show("start");
  };

  const start = () => {
    if (!voice()) { status.textContent = status.dataset.noVoice; return; }
    speech.cancel();
    parts = gather();
    at = -1;
    run += 1;
    status.textContent = status.dataset.reading;
    show("pause", "stop");
    button("pause").focus();
    next(run);
  };

  const pause = button("pause"), pauseText = pause.textContent;
  pause.addEventListener("click", () => {
    if (speech.paused) { speech.resume(); pause.textContent = pauseText; }
    else { speech.pause(); pause.textContent = pause.dataset.resume; }
  });
  button("start").addEventListener("click", start);
  button("stop").addEventListener("click", () => { stop(""); button("start").focus(); });
  window.addEventListener("pagehide", () => speech.cancel());
  speech.getVoices();
  show("start");
})();
