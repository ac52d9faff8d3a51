"use strict";
// Sliders beside the fields, and the result while they move. Without this the form does the same.
const form = document.getElementById("see");
const at = form.dataset.at;
const result = document.getElementById("result");
const proposal = document.getElementById("proposal");
const waits = document.getElementById("waits");
const made = document.getElementById("made");
const said = document.getElementById("said");
let under = null; // what is being asked
let later = 0;

// slider puts a range below a number or a list; each moves the other.
function slider(field) {
  if (field.readOnly) return;
  const range = document.createElement("input");
  range.type = "range";
  range.setAttribute("aria-label", field.labels[0].textContent);
  const list = field.tagName === "SELECT";
  if (list) {
    range.min = 0;
    range.max = field.options.length - 1;
  } else {
    range.step = field.dataset.slide || 1;
    range.min = field.dataset.least || field.min || 0;
    range.max = field.dataset.most || field.max;
  }
  const follow = () => {
    range.value = list ? field.selectedIndex : field.value;
    if (list) range.setAttribute("aria-valuetext", field.options[field.selectedIndex].textContent);
  };
  follow();
  range.addEventListener("input", () => {
    if (list) field.selectedIndex = Number(range.value);
    else field.value = range.value;
    follow();
    soon();
  });
  field.addEventListener("input", follow);
  field.closest("p").append(range);
}

function soon() {
  clearTimeout(later);
  later = setTimeout(ask, 120);
}

async function text(path, query, signal) {
  const answer = await fetch(at + path + "?" + query, { signal });
  if (!answer.ok) throw new Error(answer.status);
  return answer.text();
}

// progress shows how far a street is that takes longer to make.
function progress(signal) {
  const timer = setInterval(async () => {
    try {
      made.value = Number(await text("/progress", "", signal));
      waits.hidden = false;
    } catch { /* it has come */ }
  }, 400);
  return () => { clearInterval(timer); waits.hidden = true; };
}

async function ask() {
  if (!form.checkValidity()) return;
  if (under) under.abort();
  const mine = under = new AbortController();
  const query = new URLSearchParams(new FormData(form)).toString();
  const done = progress(mine.signal);
  result.setAttribute("aria-busy", "true");
  try {
    result.innerHTML = await text("/result", query, mine.signal);
    said.textContent = result.querySelector(".sentences li, .wrong li")?.textContent || "";
    const kept = result.querySelector("[data-kept]");
    if (kept) document.getElementById("keep").value = kept.dataset.kept;
    history.replaceState(null, "", at + "?" + query);
    if (proposal) proposal.innerHTML = await text("/proposal", query, mine.signal);
  } catch (e) {
    if (e.name !== "AbortError") form.submit(); // the page says what is wrong
  } finally {
    done();
    if (under === mine) result.removeAttribute("aria-busy");
  }
}

for (const field of form.querySelectorAll("[data-slide]")) slider(field);
form.addEventListener("input", soon);
document.getElementById("show").hidden = true; // it is shown as it is
