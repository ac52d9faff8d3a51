// Tries a draft as a councillor does, on the studio's page for that: every language, theme and width;
// by keyboard; without scripts; and writes what serves best. Says what is wrong, a line each.
//
//   node see.js STUDIO CHROMIUM DECISION
"use strict";
const { follow, launch } = require("./open.js");
const wcag = require("./wcag.js");
const [studio, executablePath, decision] = process.argv.slice(2);
const wrong = (what) => { console.log(what); process.exitCode = 1; };
const at = (lang, more = "") => studio.replace(/\/[a-z]+\/$/, `/${lang}/see/${decision}`) + more;

// Two drafts beside each other, the tables open.
async function look(browser) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  let now = "";
  page.on("console", (m) => wrong(`${now}: the console says ${m.text()}`));
  page.on("pageerror", (e) => wrong(`${now}: ${e}`));
  for (const lang of ["ca", "en", "es"]) for (const colorScheme of ["light", "dark"]) {
    now = `${lang}, ${colorScheme}`;
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme });
    await themed(page, lang, now);
  }
  await page.close();
}

async function themed(page, lang, now) {
  const answer = await page.goto(at(lang, "?times=2&returns=1&epsilon=2"));
  if (answer.status() !== 200) wrong(`${now}: ${answer.status()}`);
  for (const d of await page.$$("details")) await d.evaluate((e) => { e.open = true; });
  if ((await page.$$("svg.picture")).length !== 2) wrong(`${now}: there are not two pictures`);
  await wcag.inject(page);
  for (const width of [320, 360, 768, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (over > 0) wrong(`${now}: ${over} too wide for ${width}`);
    const small = await page.$eval("svg.picture text", (e) => e.getBoundingClientRect().height);
    if (small < 9) wrong(`${now} at ${width}: the picture's text is ${small} high`);
    if (width === 360 || width === 1280) await wcag.check(page, `${now} at ${width}`, wrong);
  }
}

// Sliders by their keys: the result follows, is said, and stands in the address.
async function keys(browser) {
  const page = await browser.newPage();
  await page.goto(at("en"));
  for (const [name, key] of [["times", "ArrowLeft"], ["epsilon", "ArrowLeft"], ["every", "ArrowRight"], ["min", "ArrowRight"], ["peak", "ArrowLeft"], ["returns", "ArrowRight"]]) {
    const range = page.locator(`#${name} ~ input[type=range]`), field = page.locator("#" + name);
    const before = await field.inputValue(), shown = await page.innerHTML("#result");
    await range.focus();
    await page.keyboard.press(key);
    if ((await field.inputValue()) === before) wrong(`the slider of ${name} moves nothing`);
    await page.waitForFunction((was) => document.getElementById("result").innerHTML !== was && !document.getElementById("result").hasAttribute("aria-busy"), shown);
    if (!new URL(page.url()).searchParams.get(name)) wrong(`${name} is not in the address: ${page.url()}`);
    if (!(await range.getAttribute("aria-label"))) wrong(`the slider of ${name} has no name`);
  }
  if (!/Published: \d+ of/.test(await page.textContent("#said"))) wrong("what a slider does is not said");
  if (await page.isVisible("#show")) wrong("a button is left that does nothing");
  const address = page.url(), result = await page.textContent("#result");
  await page.goto(address);
  if ((await page.textContent("#result")) !== result) wrong("the address shows something else");
  await page.locator("#keep").click();
  await page.waitForURL(/keep=/);
  if ((await page.$$("svg.picture")).length !== 1) wrong("what is kept is beside itself");
  await page.locator("#times ~ input[type=range]").press("Home");
  await page.waitForFunction(() => document.querySelectorAll("svg.picture").length === 2);
  await page.close();
}

// A street that takes longer has a bar with a name, which goes when the result is there, and when another slider is moved meanwhile.
async function waiting(browser) {
  const page = await browser.newPage();
  page.on("pageerror", (e) => wrong(`while it waits: ${e}`));
  await page.goto(at("en"));
  let go;
  const held = new Promise((goes) => { go = goes; });
  await page.route(/\/result\?/, async (route) => { await held; await route.continue().catch(() => {}); });
  await page.route(/\/progress/, (route) => route.fulfill({ contentType: "text/plain", body: "42" }));
  if (await page.isVisible("#waits")) wrong("a bar is there before anything is made");
  for (const slider of ["#times", "#epsilon"]) {
    await page.locator(`${slider} ~ input[type=range]`).press("ArrowLeft");
    await page.waitForFunction(() => document.getElementById("made").value === 42 && !document.getElementById("waits").hidden);
  }
  if (!(await page.$eval("#made", (e) => e.labels[0]?.textContent.trim()))) wrong("the bar has no name");
  if ((await page.getAttribute("#result", "aria-busy")) !== "true") wrong("the result is not busy while it waits");
  go();
  await page.waitForFunction(() => document.getElementById("waits").hidden && !document.getElementById("result").hasAttribute("aria-busy"));
  await page.unroute(/\/progress/);
  const percent = await page.evaluate(async (path) => (await fetch(path)).text(), at("en", "/progress"));
  if (!/^\d{1,3}$/.test(percent) || Number(percent) > 100) wrong(`how far it is, is ${percent}`);
  await page.close();
}

// Without scripts the form does the same, and writes the proposal into the draft.
async function plainly(browser) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(at("en"));
  await page.fill("#times", "2");
  await page.selectOption("#every", "PT2H");
  await follow(page, "#show");
  if (!/With these values/.test(await page.textContent("#result"))) wrong("without scripts nothing is tried");
  if ((await page.$$("svg.picture")).length !== 2) wrong("without scripts nothing stands beside it");
  await page.click("form.write button");
  await page.waitForURL(/written=saved/);
  if (!/Written into decisions/.test(await page.textContent("[role=status].card"))) wrong("it is not said that it is written");
  await context.close();
}

module.exports = (async () => {
  const browser = await launch(executablePath);
  await look(browser);
  await keys(browser);
  await waiting(browser);
  await plainly(browser);
  await browser.close();
})();
