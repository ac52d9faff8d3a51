// Sends form and file a moment after each change, and shows what the answer says of it: mistakes at
// their fields, the text that residents read, the differences. The page works without it.
"use strict";
(() => {
  const pause = 400;
  let timer, sent = 0;

  // What a change does is shown by itself.
  const alone = () => { for (const b of document.querySelectorAll(".bar [value=keep]")) b.hidden = true; };
  alone();

  // swap puts the answer's parts in the place of the page's, and leaves alone where somebody writes.
  const swap = (answer, from) => {
    for (const id of ["title", "status", "findings", "changes", "yaml-err"]) {
      const now = document.getElementById(id), then = answer.getElementById(id);
      if (now && then && now.innerHTML !== then.innerHTML) now.innerHTML = then.innerHTML;
      if (now && then) now.hidden = then.hidden;
    }
    const open = new Map([...document.querySelectorAll("#read details")].map((d) => [d.dataset.lang, d.open]));
    const read = document.getElementById("read"), next = answer.getElementById("read");
    for (const d of next.querySelectorAll("details")) if (open.has(d.dataset.lang)) d.open = open.get(d.dataset.lang);
    if (read.innerHTML !== next.innerHTML) read.innerHTML = next.innerHTML;
    for (const which of ["undo", "redo"]) {
      const off = answer.querySelector("." + which).disabled;
      for (const b of document.querySelectorAll("." + which)) b.disabled = off;
    }
    if (from === "file") {
      document.getElementById("form").replaceWith(answer.getElementById("form"));
      alone();
      return;
    }
    const file = document.getElementById("f-yaml");
    file.value = answer.getElementById("f-yaml").value;
    document.querySelector("#form [name=base]").value = answer.querySelector("#form [name=base]").value;
    const fields = (root) => [...root.querySelectorAll("#form [data-field]")];
    const theirs = fields(answer), ours = fields(document);
    const names = (list) => list.map((f) => f.dataset.field + ":" + f.querySelectorAll("option, [type=checkbox]").length).join();
    if (names(theirs) !== names(ours)) return whole(answer);
    ours.forEach((field, i) => {
      const was = field.querySelector(":scope > .err"), is = theirs[i].querySelector(":scope > .err");
      if (was.innerHTML !== is.innerHTML) was.innerHTML = is.innerHTML;
      was.hidden = is.hidden;
      for (const [a, b] of [[field, theirs[i]], [field.querySelector("input:not([type=hidden]), select, textarea"), theirs[i].querySelector("input:not([type=hidden]), select, textarea")]]) {
        if (!a) continue;
        if (b.getAttribute("aria-invalid")) a.setAttribute("aria-invalid", "true"); else a.removeAttribute("aria-invalid");
      }
    });
  };

  // whole puts another form in the place of this one, which has other fields, and stays at the one
  // that somebody is at.
  const whole = (answer) => {
    const at = document.activeElement && document.activeElement.id, name = document.activeElement && document.activeElement.name;
    const value = document.activeElement && document.activeElement.value;
    document.getElementById("form").replaceWith(answer.getElementById("form"));
    alone();
    const back = (at && document.getElementById(at)) || [...document.getElementsByName(name || "-")].find((e) => e.value === value);
    if (back) back.focus();
  };

  const send = async (form) => {
    const mine = ++sent, body = new URLSearchParams(new FormData(form));
    body.set("do", "keep");
    try {
      const answer = await fetch(form.action, { method: "POST", body });
      const text = await answer.text();
      const page = new DOMParser().parseFromString(text, "text/html");
      if (mine === sent && page.getElementById("read")) swap(page, form.id);
    } catch {
      // The studio has ended, or is asked again with the next change; buttons say so by a page.
    }
  };

  document.addEventListener("input", (e) => {
    const form = e.target.closest("#form, #file");
    if (!form) return;
    clearTimeout(timer);
    timer = setTimeout(() => send(form), pause);
  });
  // A link of the list of mistakes leads to its field, opened and ready to be written in.
  document.addEventListener("click", (e) => {
    const link = e.target.closest("#findings a");
    const to = link && document.getElementById(link.hash.slice(1));
    if (!to) return;
    e.preventDefault();
    to.focus();
    to.scrollIntoView({ block: "center" });
  });
})();
