// Sends large files in parts that survive a broken connection (tus). Small ones go by the plain form,
// as all do without script. Each part carries its SHA-256, so that the server notices any change.
"use strict";
(() => {
  const words = document.getElementById("upload-words");
  const panel = document.getElementById("upload-panel");
  if (!words || !panel || !window.tus || !tus.isSupported) return;
  const PART_BYTES = 8 * 1024 * 1024;
  const RETRY_MS = [0, 1000, 3000, 5000, 10000, 20000, 30000, 60000];
  const say = (name, values) => words.dataset[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);

  const size = (bytes) => {
    const units = ["B", "KB", "MB", "GB"];
    let n = bytes, unit = 0;
    while (n >= 1024 && unit < units.length - 1) { n /= 1024; unit += 1; }
    return `${n.toFixed(unit ? 1 : 0)} ${units[unit]}`;
  };
  const duration = (seconds) => seconds > 90
    ? say("minutes", { n: Math.ceil(seconds / 60) }) : say("seconds", { n: Math.max(1, Math.ceil(seconds)) });

  // Reads the file part by part and remembers the hash of the last one read.
  class HashedFile {
    constructor(file) { this.file = file; this.size = file.size; this.checksum = ""; }
    async slice(start, end) {
      const value = this.file.slice(start, end);
      this.checksum = "";
      if (window.crypto?.subtle) { // only where the connection is secure
        const digest = await crypto.subtle.digest("SHA-256", await value.arrayBuffer());
        this.checksum = `sha256 ${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
      }
      return { value, done: end >= this.size };
    }
    close() {}
  }

  class Panel {
    constructor(form) {
      this.root = panel.content.firstElementChild.cloneNode(true);
      this.text = this.root.querySelector(".upload-text");
      this.bar = this.root.querySelector("progress");
      this.status = this.root.querySelector("[role=status]");
      form.after(this.root);
      form.hidden = true;
      this.form = form;
      this.told = -1;
    }
    button(name) { return this.root.querySelector(`[data-do=${name}]`); }
    on(name, act) { this.button(name).addEventListener("click", act); }
    show(text, percent) {
      this.text.textContent = text;
      if (percent === null) this.bar.removeAttribute("value"); else this.bar.value = percent;
      const step = percent === null ? -2 : Math.floor(percent / 10);
      if (step !== this.told) { this.status.textContent = text; this.told = step; } // heard now and then
    }
    paused(yes) {
      this.button("pause").hidden = yes;
      this.button("resume").hidden = !yes;
      this.button(yes ? "resume" : "pause").focus();
    }
    fail(text) {
      this.root.remove();
      this.form.hidden = false;
      delete this.form.dataset.sent;
      this.form.querySelectorAll("[aria-disabled]").forEach((b) => b.removeAttribute("aria-disabled"));
      let note = this.form.querySelector(".upload-error");
      if (!note) {
        note = document.createElement("p");
        note.className = "error upload-error";
        note.setAttribute("role", "alert");
        note.tabIndex = -1;
        this.form.prepend(note);
      }
      note.textContent = words.dataset.failed + text;
      note.focus();
    }
  }

  const reason = (error) => {
    const body = error.originalResponse?.getBody();
    try { return JSON.parse(body).error.message; } catch { return words.dataset.network; }
  };

  const wait = async (address, shown, entry) => {
    shown.root.querySelectorAll("button").forEach((b) => { b.hidden = true; });
    shown.show(words.dataset.checking, null);
    for (;;) {
      await new Promise((done) => setTimeout(done, 1500));
      const answer = await fetch(`${address}/state`, { headers: { Accept: "application/json" } }).catch(() => null);
      if (!answer?.ok) continue;
      const found = await answer.json();
      if (found.state === "done") {
        window.location.assign(`/work/entries/${entry}/files/${found.file}/received`);
        return;
      }
      if (found.state === "failed") { shown.fail(found.error); return; }
    }
  };

  const send = (form, file) => {
    const shown = new Panel(form);
    const source = new HashedFile(file);
    const value = (name) => form.elements[name]?.value ?? "";
    let paused = false, began = 0, first = 0, leaving = true;
    const percent = (sent) => Math.floor((sent / file.size) * 100);
    const values = (sent) => ({ percent: percent(sent), sent: size(sent), size: size(file.size) });
    let last = 0;
    const upload = new tus.Upload(file, {
      endpoint: "/work/uploads",
      chunkSize: PART_BYTES,
      retryDelays: RETRY_MS,
      headers: { "X-CSRFToken": words.dataset.token },
      metadata: {
        entry: form.dataset.upload, replaces: form.dataset.replaces ?? "", filename: file.name,
        name: value("name"), description: value("description"), reason: value("reason"),
      },
      fingerprint: async () => ["xiangyun", form.dataset.upload, form.dataset.replaces ?? "", file.name,
        file.size, file.lastModified].join("|"),
      removeFingerprintOnSuccess: true,
      fileReader: { openFile: async () => source },
      onBeforeRequest: (request) => {
        if (request.getMethod() === "PATCH" && source.checksum) request.setHeader("Upload-Checksum", source.checksum);
      },
      onShouldRetry: (error, attempt) => {
        const status = error.originalResponse?.getStatus() ?? 0;
        const again = status === 0 || status === 409 || status === 423 || status === 429 || status === 460 || status >= 500;
        if (again && status !== 507) shown.show(say("waiting", { percent: percent(last) }), percent(last));
        return again && status !== 507;
      },
      onProgress: (sent) => {
        if (paused) return; // the last news of a request that was just ended
        if (!began) { began = Date.now(); first = sent; }
        last = sent;
        const rate = (sent - first) / Math.max(1, Date.now() - began);
        const left = rate > 0 ? duration((file.size - sent) / rate / 1000) : "…";
        shown.show(say("progress", { ...values(sent), left }), percent(sent));
      },
      onSuccess: () => { leaving = false; wait(new URL(upload.url, location.href).pathname, shown, form.dataset.upload); },
      onError: (error) => { leaving = false; shown.fail(reason(error)); },
    });
    window.addEventListener("beforeunload", (event) => { if (leaving && !paused) event.preventDefault(); });
    shown.on("pause", async () => {
      paused = true;
      await upload.abort();
      began = 0;
      shown.show(say("paused", values(last)), percent(last));
      shown.paused(true);
    });
    shown.on("resume", () => { paused = false; shown.paused(false); upload.start(); });
    shown.on("cancel", async () => {
      leaving = false;
      await upload.abort(true).catch(() => {});
      window.location.reload();
    });
    upload.findPreviousUploads().then((earlier) => {
      if (earlier.length) upload.resumeFromPreviousUpload(earlier[0]);
      upload.start();
    });
  };

  for (const form of document.querySelectorAll("form[data-upload]")) {
    form.addEventListener("submit", (event) => {
      const file = form.elements.file?.files?.[0];
      if (!file || file.size < Number(words.dataset.from)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      send(form, file);
    }, { capture: true });
  }
})();
