// Reads a chosen .pub file into the field of a member's keys, and takes no private key: that has no
// place in a page.
"use strict";
(() => {
  const most = 64 << 10;
  document.documentElement.classList.add("scripted");
  const refuse = (field, warning) => {
    const said = document.getElementById(field.id + "-err"), line = document.createElement("li");
    line.className = "wrong";
    line.textContent = warning;
    said.replaceChildren(line);
    said.hidden = false;
    field.focus();
  };
  // What is pasted goes no further than the field, if it is a private key, and not even stays there.
  document.addEventListener("input", (e) => {
    const from = document.getElementById(e.target.id + "-file");
    if (!from || !e.target.value.includes("PRIVATE KEY")) return;
    e.stopImmediatePropagation();
    e.target.value = "";
    refuse(e.target, from.dataset.private);
  }, true);
  document.addEventListener("change", async (e) => {
    const { into, private: warning } = e.target.dataset, file = into && e.target.files[0];
    if (!file) return;
    const text = file.size > most ? "" : (await file.text()).trim();
    const field = document.getElementById(into);
    e.target.value = "";
    if (!text || text.includes("PRIVATE KEY")) return refuse(field, warning);
    field.value = (field.value.trim() + "\n" + text).trim();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
})();
