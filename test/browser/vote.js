// Signs ballots for a motion in the studio, hands one in that was signed elsewhere, and enacts it; says
// what is wrong, a line each, and nothing when all is well. Everything that the browser sends goes
// through a proxy that writes it down.
//
//   node vote.js ADDRESS CHROMIUM KEYS SENT PROFILE
"use strict";
const fs = require("fs");
const http = require("http");
const { chromium } = require("playwright-core");
const { follow, options } = require("./open.js");
const [address, executablePath, keys, sent, profile] = process.argv.slice(2);
const at = (path) => address.replace(/\/$/, "") + path;
const wrong = (what) => { console.log(what); process.exitCode = 1; };

// proxy passes everything on, and appends what was sent to the file.
function proxy() {
  const server = http.createServer((from, to) => {
    const parts = [];
    from.on("data", (raw) => parts.push(raw));
    from.on("end", () => {
      const body = Buffer.concat(parts);
      fs.appendFileSync(sent, Buffer.concat([Buffer.from(`${from.method} ${from.url}\n${JSON.stringify(from.headers)}\n`), body, Buffer.from("\n")]));
      const on = http.request(from.url, { method: from.method, headers: from.headers }, (answer) => {
        to.writeHead(answer.statusCode, answer.headers);
        answer.pipe(to);
      });
      on.on("error", () => to.destroy());
      on.end(body);
    });
  });
  server.on("connect", (from, socket) => {
    fs.appendFileSync(sent, `CONNECT ${from.url}\n`);
    socket.destroy();
  });
  return new Promise((listens) => server.listen(0, "127.0.0.1", () => listens(server)));
}

async function sign(page, choice, key, reason) {
  await page.check(`#sign input[value=${choice}]`);
  await page.fill("#why", reason);
  await page.setInputFiles("#key", `${keys}/${key}`);
  const before = await page.textContent("#signed");
  await page.click("#sign button");
  await page.waitForFunction((was) => document.getElementById("signed").textContent !== was, before);
  const said = await page.textContent("#signed");
  if (await page.$eval("#key", (k) => k.files.length)) wrong(`${key}: the page still has the file`);
  return said;
}

module.exports = (async () => {
  const through = await proxy();
  const context = await chromium.launchPersistentContext(profile, {
    ...options(executablePath, "--proxy-bypass-list=<-loopback>"),
    proxy: { server: `http://127.0.0.1:${through.address().port}` },
  });
  try {
    const page = context.pages()[0] || await context.newPage();
    page.on("pageerror", (e) => wrong(String(e)));
    await page.goto(at("/vote"));
    await page.click("main a >> text=first");
    await page.waitForURL(at("/vote/first"));

    for (const [key, want] of [["locked", "passphrase"], ["anna.pub", "without .pub"], ["curve", "another kind"],
      ["stranger", "roster that votes"]]) {
      const said = await sign(page, "for", key, "");
      if (!said.includes(want)) wrong(`${key}: the page says ${said}`);
    }
    for (const [choice, key, reason] of [["for", "anna", "Ho va demanar l'escola."], ["against", "bru", "Massa poc: l'any que ve, així no."]]) {
      const said = await sign(page, choice, key, reason);
      if (!said.includes("Signed and handed in")) wrong(`${key}: the page says ${said}`);
      const [download] = await Promise.all([page.waitForEvent("download"), page.click("#signed a:last-child")]);
      fs.copyFileSync(await download.path(), `${keys}/${key}.downloaded`);
    }
    const standing = await page.textContent("#standing");
    if (!standing.includes("1 of 2 for it, 1 against")) wrong(`after two ballots the page says ${standing}`);
    const said = await sign(page, "abstain", "anna", "");
    if (!said.includes("has signed already")) wrong(`both: the page says ${said}`);

    await page.setInputFiles("#files", `${keys}/carla.sig`);
    await follow(page, "form[enctype] button");
    const rows = await page.$$eval("main tbody tr", (l) => l.map((r) => r.textContent.trim()));
    if (!/Anna.*for it.*Ho va demanar/s.test(rows[0]) || !/Bru.*against/s.test(rows[1]) || !/Carla.*for it/s.test(rows[2])) wrong(`the table is ${rows}`);
    await follow(page, "form[action$='/enact'] button");
    if (!(await page.textContent("main")).includes("first.sluice")) wrong("it is not enacted");
    const kept = await page.evaluate(async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length].join());
    if (kept !== "0,0,0" || (await context.cookies()).length) wrong(`the browser keeps ${kept}`);
  } finally {
    await context.close();
    through.close();
  }
})().then(() => process.exit(), (e) => { console.log(String(e)); process.exit(1); });
