// Founds a town in an empty directory and brings its first decision into force, as a clerk does: by
// forms, the first of them by keyboard on a narrow page. Anna signs in the browser, Bru with ssh-keygen
// where he is. Says what is wrong, a line each, and nothing when all is well.
//
//   node town.js ADDRESS CHROMIUM KEYS
"use strict";
const fs = require("fs");
const { execFileSync } = require("child_process");
const { follow, launch } = require("./open.js");
const [address, executablePath, keys] = process.argv.slice(2);
const at = (path) => address.replace(/\/$/, "") + path;
const wrong = (what) => { console.log(what); process.exitCode = 1; };
const focused = (page) => page.evaluate(() => document.activeElement.id);

// reach goes to a field by the Tab key alone, and fails where that leads past it.
async function reach(page, id) {
  for (let n = 0; n < 120; n++) {
    if (await focused(page) === id) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the Tab key does not reach ${id}`);
}

async function type(page, id, text) {
  await reach(page, id);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}

// found writes the form by keyboard: first nothing, which is said, then what is needed.
async function found(browser) {
  const page = await (await browser.newContext({ viewport: { width: 360, height: 740 } })).newPage();
  page.on("pageerror", (e) => wrong(String(e)));
  await page.goto(at("/"));
  if (!page.url().endsWith("/found")) wrong(`an empty directory opens ${page.url()}`);
  await page.focus("button[value=found]");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  if (await focused(page) !== "h-found") wrong("what is missing is not where the focus is");
  await page.keyboard.press("Tab");
  await Promise.all([page.waitForURL(/#f-/), page.keyboard.press("Enter")]);
  await page.focus("#main");
  await page.goto(at("/found"));
  await type(page, "f-city-name", "Vilanova de Prova");
  await type(page, "f-city-responsible-name", "Ajuntament de Vilanova de Prova");
  await type(page, "f-city-responsible-email", "ajuntament@vilanova.example");
  await type(page, "f-city-dpo-name", "Delegada de protecció de dades");
  await type(page, "f-zones-0-name", "Plaça Major");
  await type(page, "f-zones-0-lat", "41.3870");
  await type(page, "f-zones-0-lon", "2.1700");
  await reach(page, "f-members-0-name");
  await page.focus("button[value='add members']");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  if (await focused(page) !== "f-members-3-name") wrong("a new member is not where the focus is");
  await page.focus("button[value='drop members.3']");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  if (await page.inputValue("#f-city-name") !== "Vilanova de Prova") wrong("a member more or less forgets what was written");
  await page.focus("#f-members-0-name");
  await type(page, "f-members-0-name", "Anna Puig, alcaldessa");
  await page.setInputFiles("#f-members-0-keys-file", `${keys}/anna`);
  await page.waitForSelector("#f-members-0-keys-err:not([hidden])");
  if (await page.inputValue("#f-members-0-keys")) wrong("a private key is in the page");
  await page.setInputFiles("#f-members-0-keys-file", `${keys}/anna.pub`);
  await page.waitForFunction(() => document.getElementById("f-members-0-keys").value.startsWith("ssh-ed25519 "));
  await type(page, "f-members-1-name", "Bru");
  await type(page, "f-members-1-keys", fs.readFileSync(`${keys}/anna.pub`, "utf8").trim());
  await type(page, "f-members-2-name", "Carla");
  await type(page, "f-members-2-keys", fs.readFileSync(`${keys}/carla.pub`, "utf8").trim());
  await type(page, "f-quorums-enact", "4");
  await type(page, "f-notice_days", "0");
  await page.focus("button[value=found]");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  if (!(await page.textContent("#f-members-1-keys-err")).includes("same key")) wrong("a key of two members is not refused at its field");
  await type(page, "f-members-1-keys", fs.readFileSync(`${keys}/bru.pub`, "utf8").trim());
  await page.focus("button[value=found]");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  if (!(await page.textContent("#f-quorums-enact-err")).includes("4 members")) wrong("a quorum that nobody can reach is not said at its field");
  await type(page, "f-quorums-enact", "2");
  await page.focus("button[value=found]");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  await page.waitForSelector(".next .done");
  await page.close();
}

// decide writes the first decision: a template, its blanks, a look at what it would publish.
async function decide(page) {
  await page.goto(at("/"));
  await page.click(".next a >> text=Write the first decision");
  await page.fill("#f-id", "2026-01");
  await page.check("input[name=like][value=footfall]");
  await follow(page, "form button");
  for (const lang of ["ca", "en", "es"]) await page.fill(`#f-title-${lang}`, lang === "en" ? "Footfall in the square" : "Vianants a la plaça");
  await page.fill("#f-legal_basis", "Reglament municipal de dades, article 3");
  const day = (n) => new Date(Date.now() + n * 86400000).toISOString().slice(0, 10);
  await page.fill("#f-from", day(0));
  await page.fill("#f-until", day(300));
  await page.click("#form .bar button[value=save]");
  await page.waitForFunction(() => /Saved\./.test(document.getElementById("status").textContent));
  await page.goto(at("/draft/2026-01"));
  const left = await page.$$eval("#findings li.wrong", (l) => l.map((x) => x.textContent));
  if (left.length) wrong(`the decision still has ${left}`);
  await page.goto(at("/see/2026-01"));
  if (!(await page.$("main svg"))) wrong("there is no picture of what it would publish");
}

// vote makes the motion, and collects a signature of the browser and one of ssh-keygen.
async function vote(page) {
  await page.goto(at("/vote"));
  await page.fill("#id", "first");
  await follow(page, "form:has(#id) button");
  await page.check("#sign input[value=for]");
  await page.setInputFiles("#key", `${keys}/anna`);
  await page.click("#sign button");
  await page.waitForSelector("#signed:has-text('Signed and handed in')");
  const [text] = await Promise.all([page.waitForEvent("download"), page.click("a[href$='/motion.txt']")]);
  fs.copyFileSync(await text.path(), `${keys}/motion.txt`);
  const line = (await page.textContent("pre:has-text('ssh-keygen -Y sign')")).trim().replace("~/.ssh/id_ed25519", `${keys}/bru`);
  execFileSync("sh", ["-c", line], { cwd: keys, stdio: "ignore" });
  await page.goto(at("/vote/first"));
  await page.setInputFiles("#files", `${keys}/motion.txt.sig`);
  await follow(page, "form[enctype] button");
  await follow(page, "form[action$='/enact'] button");
  if (!(await page.textContent("main")).includes("first.sluice")) wrong("it is not enacted");
  await page.goto(at("/"));
  if (await page.$(".next")) wrong("once it is enacted the first page still says what to do first");
}

module.exports = (async () => {
  const browser = await launch(executablePath);
  try {
    await found(browser);
    const page = await (await browser.newContext()).newPage();
    page.on("pageerror", (e) => wrong(String(e)));
    await decide(page);
    await vote(page);
  } finally {
    await browser.close();
  }
})().catch((e) => { console.log(String(e.stack || e)); process.exit(1); });
