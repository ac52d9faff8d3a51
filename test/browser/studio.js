// Works in the studio as a clerk does, by keyboard and without scripts, too; says what is wrong, a
// line each, and nothing when all is well.
//
//   node studio.js ADDRESS CHROMIUM           works
//   node studio.js ADDRESS CHROMIUM PATH...   looks at pages
"use strict";
const { follow, launch, reader } = require("./open.js");
const wcag = require("./wcag.js");
const [address, executablePath, ...paths] = process.argv.slice(2);
const at = (lang, path) => address.replace(/\/\w\w\/$/, `/${lang}`) + path;
const wrong = (what) => { console.log(what); process.exitCode = 1; };
const footfall = "/draft/2026-14-footfall";

// What a screen reader is told: each thing that can be used or gone to has a name, no two fields of a page are
// called the same within one group, and the pages that answer while one writes have a region that says so.
const called = ["button", "link", "textbox", "combobox", "checkbox", "radio", "slider", "spinbutton", "searchbox", "navigation", "region", "radiogroup", "table", "image"];
async function heard(page, now) {
  const cdp = await page.context().newCDPSession(page);
  const { nodes } = await cdp.send("Accessibility.getFullAXTree");
  await cdp.detach();
  const by = new Map(nodes.map((n) => [n.nodeId, n]));
  const group = (n) => { for (n = by.get(n.parentId); n; n = by.get(n.parentId)) if (["group", "radiogroup", "form", "region"].includes(n.role?.value)) return n.nodeId; return ""; };
  const names = new Set();
  for (const n of nodes.filter((n) => !n.ignored && called.includes(n.role?.value))) {
    const role = n.role.value, name = (n.name?.value || "").trim();
    if (!name) wrong(`${now}: a ${role} has no name`);
    if (["textbox", "combobox", "slider"].includes(role) && names.size === names.add(group(n) + role + name).size) wrong(`${now}: two ${role} are called "${name}"`);
  }
  if ((await page.$("#f-yaml, #see-form")) && !nodes.some((n) => n.role?.value === "status")) wrong(`${now}: nothing says what became of what is written`);
}

// Every page by axe, in each language, narrow and dark, or wide; nothing is too wide or from elsewhere.
async function look(browser) {
  const page = await browser.newPage();
  const by = await reader(page);
  const origin = new URL(address).origin;
  let now = "";
  page.on("console", (m) => wrong(`${now}: the console says ${m.text()}`));
  page.on("pageerror", (e) => wrong(`${now}: ${e}`));
  page.on("request", (r) => { if (!r.url().startsWith(origin + "/")) wrong(`${now} asks elsewhere: ${r.url()}`); });
  for (const [lang, width, theme] of [["ca", 360, "dark"], ["en", 1280, "light"], ["es", 320, "light"]]) {
    await by.speaks(lang);
    await by.sees(width, 800, theme);
    for (const path of paths) await opened(page, path, lang, now = `${path} (${lang}, ${width})`);
  }
  await page.close();
}

async function opened(page, path, lang, now) {
  const answer = await page.goto(at(lang, path));
  if (answer.status() !== 200) wrong(`${now} is ${answer.status()}`);
  if ((await page.getAttribute("html", "lang")) !== lang) wrong(`${now} is in another language`);
  if ((await page.context().cookies()).length) wrong(`${now} sets a cookie`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) wrong(`${now} is ${over} too wide`);
  const order = await page.$$eval("h1, h2, h3, h4", (l) => l.map((h) => Number(h.tagName[1])));
  order.forEach((n, i) => { if (i ? n > order[i - 1] + 1 : n !== 1) wrong(`${now}: its headings are ${order}`); });
  await heard(page, now);
  await wcag.inject(page);
  await wcag.check(page, now, wrong);
}

const said = (page, id, text) => page.waitForFunction(([id, text]) => document.getElementById(id).textContent.includes(text), [id, text]);
const inFile = (page, text) => page.waitForFunction((text) => document.getElementById("f-yaml").value.includes(text), text);

// Form and file each change the other while somebody writes, and nothing that is being written is lost.
async function live(browser) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(at("en", footfall));
  await page.fill("#f-protect-min_units", "12");
  await said(page, "read", "fewer than 12 devices");
  await inFile(page, "min_units: 12");
  await page.fill("#f-title-en", "Footfall: who walks");
  await inFile(page, "Footfall: who walks");
  if (!(await page.inputValue("#f-yaml")).includes("# all else is dropped at the door")) wrong("a comment is lost");
  await page.fill("#f-protect-min_units", "5");
  await said(page, "f-protect-min_units-err", "10");
  if ((await page.getAttribute("#f-protect-min_units", "aria-invalid")) !== "true") wrong("a mistake is not said to be at its field");
  if (!(await page.textContent("#status")).includes("1 mistake")) wrong("the status does not say that there is a mistake");
  await page.click("#findings a[href='#f-protect-min_units']");
  if ((await page.evaluate(() => document.activeElement.id)) !== "f-protect-min_units") wrong("the list of mistakes leads elsewhere");
  await page.click("#form .undo");
  await page.waitForFunction(() => document.getElementById("f-protect-min_units").value === "12");
  await page.fill("#f-yaml", (await page.inputValue("#f-yaml")).replace("epsilon: 1 ", "epsilon: 0.5 "));
  await page.waitForFunction(() => document.getElementById("f-protect-epsilon").value === "0.5");
  if ((await page.evaluate(() => document.activeElement.id)) !== "f-yaml") wrong("the file is left while it is written in");
  // Another kind of sensor has other fields, and the box that was ticked keeps the focus.
  await page.focus("#form [name='applies_to.kinds'][value='noise-meter']");
  await page.keyboard.press("Space");
  await page.waitForSelector("#form [name='keep'][value='laeq']");
  if ((await page.evaluate(() => document.activeElement.value)) !== "noise-meter") wrong("the ticked box loses the focus");
  await page.keyboard.press("Space");
  await page.waitForSelector("#form [name='keep'][value='laeq']", { state: "detached" });
  // Buttons leave the page where it is, and lead to what they have added.
  await page.click("#form button[value='add publish.measures']");
  await page.waitForFunction(() => document.activeElement.id === "f-publish-measures-1-name");
  await page.keyboard.type("many");
  await inFile(page, 'name: "many"');
  await page.click("#form button[value='drop publish.measures.1']");
  await page.waitForFunction(() => !document.getElementById("f-publish-measures-1-name"));
  await page.focus("#file button[value=save]");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("status").textContent.includes("Saved."));
  if ((await page.evaluate(() => document.activeElement.value)) !== "save") wrong("the button is left that was pressed");
  await page.close();
}

// A new decision from a template, by keyboard only.
async function keyboard(browser) {
  const page = await (await browser.newContext({ viewport: { width: 360, height: 740 } })).newPage();
  await page.goto(at("en", "/"));
  await page.keyboard.press("Tab");
  if ((await page.evaluate(() => document.activeElement.getAttribute("href"))) !== "#main") wrong("the first stop is not the link to the content");
  await page.focus("a.button");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/new$/);
  await page.focus("#f-id");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("2026-14");
  await page.focus("input[name=like][value=cycling]");
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#f-id-err:not(:empty)");
  if ((await page.evaluate(() => document.activeElement.id)) !== "f-id") wrong("what is wrong with the number is not where the focus is");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("2026-40");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/draft\/2026-40$/);
  if (!(await page.textContent("#status")).includes("mistake")) wrong("a template passes untouched");
  // Each stop is visible, and the sticky bar does not cover it (WCAG 2.2, 2.4.11).
  await page.focus("#f-decision");
  for (let n = 0; n < 25; n++) {
    await page.keyboard.press("Tab");
    const covered = await page.evaluate(() => {
      const e = document.activeElement, b = e.getBoundingClientRect(), top = document.elementFromPoint(b.left + b.width / 2, b.top + b.height / 2);
      return e.closest(".bar") || (top && (e === top || e.contains(top) || top.contains(e))) ? "" : e.outerHTML.slice(0, 120);
    });
    if (covered) wrong(`the focus is covered: ${covered}`);
  }
  await page.close();
}

// Without scripts the same by buttons; it is saved at the end.
async function plain(browser) {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(at("en", footfall));
  await page.fill("#f-title-en", "Footfall by forms");
  await follow(page, "#form button[value='add publish.measures']");
  if ((await page.inputValue("#f-title-en")) !== "Footfall by forms") wrong("without scripts a button forgets what was written");
  await page.fill("#f-publish-measures-1-name", "readings");
  for (const lang of ["ca", "es", "en"]) await page.fill(`#f-publish-measures-1-names-${lang}`, "x");
  await follow(page, "#form .bar button[value=keep]");
  if (!(await page.inputValue("#f-yaml")).includes('name: "readings"')) wrong("without scripts the form does not change the file");
  await follow(page, "#form button[value='drop publish.measures.1']");
  if ((await page.inputValue("#f-yaml")).includes("readings")) wrong("without scripts a number is not removed");
  await follow(page, "#form .bar button[value=save]");
  if (!(await page.textContent("#status")).includes("Saved.")) wrong("without scripts nothing is saved");
  await page.close();
}

module.exports = (async () => {
  const browser = await launch(executablePath);
  if (paths.length) {
    await look(browser);
  } else {
    await live(browser);
    await keyboard(browser);
    await plain(browser);
  }
  await browser.close();
})().catch((e) => { console.log(String(e.stack || e)); process.exit(1); });
