// Sends form and file a moment after each change, and shows what the answer says of it: mistakes at
// their fields, the text that residents read, the differences. Buttons do what they do without it,
// and leave the page where it is.
"use strict";
(() => {
  const pause = 400, by = (id, root = document) => root.getElementById(id);
  const here = Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-"); // which page has written what
  let timer, acting = false, under = new AbortController();

  // What a change does is shown by itself.
  const alone = () => { for (const b of document.querySelectorAll(".bar [value=keep]")) b.hidden = true; };

  // about puts what the answer says around form and file in the place of the page's.
  const about = (answer) => {
    for (const id of ["title", "status", "findings", "changes", "yaml-err"]) {
      const now = by(id), then = by(id, answer);
      if (now.innerHTML !== then.innerHTML) now.innerHTML = then.innerHTML;
      now.hidden = then.hidden;
    }
    const read = by("read"), next = by("read", answer);
    for (const d of read.querySelectorAll("details")) {
      const same = next.querySelector(`details[data-lang="${d.dataset.lang}"]`);
      if (same) same.open = d.open;
    }
    if (read.innerHTML !== next.innerHTML) read.innerHTML = next.innerHTML;
    for (const which of ["undo", "redo"]) {
      const off = answer.querySelector("." + which).disabled;
      for (const b of document.querySelectorAll("." + which)) b.disabled = off;
    }
  };

  // whole puts the answer's form in the place of the page's, and stays at the field or button that
  // somebody is at.
  const whole = (answer) => {
    const at = document.activeElement || document.body, { id, name, value } = at, inside = at.closest("#form");
    by("form").replaceWith(by("form", answer));
    alone();
    if (!inside) return;
    const back = (id && by(id)) || [...document.querySelectorAll("#form [name]")].find((e) => e.name === name && e.value === value && !e.disabled);
    (back || document.querySelector("#form .bar button")).focus({ preventScroll: true });
  };

  const fields = (root) => [...root.querySelectorAll("#form [data-field]")];
  const shape = (list) => list.map((f) => f.dataset.field + ":" + f.querySelectorAll("option, [type=checkbox]").length).join();
  const control = (field) => field.matches("fieldset") ? field : field.querySelector("input, select, textarea");

  // others takes over what has been changed on another page: the answer is what the form is compared with next, so that what
  // stands in it must be what the answer says, but for what somebody has written since it was sent, or is writing.
  const others = (field, theirs, sent) => {
    const then = theirs.querySelectorAll("input:not([type=hidden]):not([type=file]), select, textarea");
    field.querySelectorAll("input:not([type=hidden]):not([type=file]), select, textarea").forEach((at, i) => {
      const box = at.type === "checkbox", was = sent.getAll(at.name);
      const is = at.value.replace(/\r\n?/g, "\n"), typed = box ? at.checked !== was.includes(at.value) : is !== was[0]?.replace(/\r\n?/g, "\n");
      if (!then[i] || typed || at === document.activeElement && (at.inputMode === "decimal" || is.trim() === then[i].value)) return;
      if (box) at.checked = then[i].checked; else if (is !== then[i].value) at.value = then[i].value;
    });
  };

  // mistakes puts them at the fields, and leaves alone what somebody writes in them; a form of other
  // fields is put in its place.
  const mistakes = (answer, sent) => {
    const ours = fields(document), theirs = fields(answer);
    if (shape(ours) !== shape(theirs)) return whole(answer);
    ours.forEach((field, i) => {
      others(field, theirs[i], sent);
      const was = field.querySelector(":scope > .err"), is = theirs[i].querySelector(":scope > .err");
      if (was.innerHTML !== is.innerHTML) was.innerHTML = is.innerHTML;
      was.hidden = is.hidden;
      control(field).toggleAttribute("aria-invalid", false);
      if (control(theirs[i]).hasAttribute("aria-invalid")) control(field).setAttribute("aria-invalid", "true");
    });
  };

  const swap = (answer, form, act, sent) => {
    about(answer);
    if (act !== "keep" || form.id === "file") whole(answer); else mistakes(answer, sent);
    const now = answer.querySelector("#file [name=base]").value;
    for (const base of document.querySelectorAll("#form [name=base], #file [name=base]")) base.value = now;
    if (act !== "keep" || form.id === "form") by("f-yaml").value = by("f-yaml", answer).value;
  };

  // send sends a form with what a button does; an answer that has not come by then is not waited for.
  const send = async (form, act) => {
    clearTimeout(timer);
    under.abort();
    const mine = under = new AbortController(), body = new URLSearchParams(new FormData(form));
    body.set("do", act);
    body.set("page", here);
    let page;
    acting = act !== "keep";
    try {
      const answer = await fetch(form.action, { method: "POST", body, signal: mine.signal });
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      return act === "keep" || mine !== under || form.submit(); // the studio has ended, and the browser says so
    }
    if (mine !== under) return;
    acting = false;
    if (!by("read", page) || page.querySelector(".conflict")) {
      if (act !== "keep") location.assign(form.action);
      return;
    }
    swap(page, form, act, body);
    const list = act.startsWith("add ") && "g-" + act.slice(4).replaceAll(".", "-") + "-";
    const at = list && [...document.querySelectorAll("#form fieldset.group")].filter((g) => g.id.startsWith(list) && /^\d+$/.test(g.id.slice(list.length))).pop();
    if (at) { at.scrollIntoView(); (at.querySelector("input:not([type=hidden]), select, textarea") || at).focus({ preventScroll: true }); }
  };

  alone();
  document.addEventListener("input", (e) => {
    const form = e.target.closest("#form, #file");
    if (!form) return;
    clearTimeout(timer);
    const soon = () => acting ? timer = setTimeout(soon, pause) : send(form, "keep"); // what a button does comes first
    timer = setTimeout(soon, pause);
  });
  document.addEventListener("submit", (e) => {
    if (!e.target.matches("#form, #file") || !e.submitter) return;
    e.preventDefault();
    send(e.target, e.submitter.value);
  });
  // A link of the list of mistakes leads to its field, ready to be written in.
  document.addEventListener("click", (e) => {
    const link = e.target.closest("#findings a"), to = link && by(link.hash.slice(1));
    if (!to) return;
    e.preventDefault();
    to.focus();
    to.scrollIntoView({ block: "center" });
  });
})();
