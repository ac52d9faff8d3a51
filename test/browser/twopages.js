// Writes one decision on two pages of the studio, as two people at one desk do, and says what is taken back without a word, a line each.
//
//   node twopages.js STUDIO CHROMIUM DECISION
"use strict";
const { launch } = require("./open.js");
const [studio, executablePath, decision] = process.argv.slice(2);
const wrong = (what) => { console.log(what); process.exitCode = 1; };
const clash = "on two pages at once";

// write fills a field and waits until the studio has answered it.
async function write(page, field, text) {
  const answered = page.waitForResponse((r) => r.request().method() === "GET" && r.url().includes("/draft/"));
  await page.fill(field, text);
  await (await answered).finished();
  await page.waitForFunction((t) => document.getElementById("f-yaml").value.includes(t), text);
}

async function save(page, want) {
  await page.click("#form .bar [value=save]");
  await page.waitForFunction((t) => document.getElementById("status").textContent.includes(t), want);
}

module.exports = (async () => {
  const browser = await launch(executablePath);
  const context = await browser.newContext(), one = await context.newPage(), other = await context.newPage();
  for (const page of [one, other]) {
    page.on("pageerror", (e) => wrong(String(e)));
    await page.goto(studio + "draft/" + decision);
  }
  await write(one, "#f-title-ca", "De la primera");
  await save(one, "Saved.");
  await write(other, "#f-title-es", "De la segunda");
  if ((await other.inputValue("#f-title-ca")) !== "De la primera") wrong("what the one page has written does not come to the other");
  await save(other, "Saved.");
  for (const text of ["De la primera", "De la segunda"]) if (!(await other.inputValue("#f-yaml")).includes(text)) wrong(`${text} is lost`);
  await write(other, "#f-title-es", "Otra de la segunda");
  await write(one, "#f-title-es", "Otra de la primera");
  if (!(await one.textContent("#status")).includes(clash)) wrong("what the other page has written is overwritten without a word");
  await one.click("#form .bar [value=undo]");
  await one.waitForFunction(() => document.getElementById("f-title-es").value === "Otra de la segunda");
  if ((await one.textContent("#status")).includes(clash)) wrong("it is still said when it is undone");
  await browser.close();
})().catch((e) => { console.log(String(e)); process.exit(1); });
