// Runs a script that listens, as a page of another site would, and says what it logs
// until it has said three lines.
//
//   node live.js CHROMIUM SCRIPT
"use strict";
const http = require("http");
const { launch } = require("./open.js");
const [executablePath, script] = process.argv.slice(2);

module.exports = (async () => {
  const elsewhere = http.createServer((_, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end("<!doctype html><title>Another site</title>");
  });
  await new Promise((listens) => elsewhere.listen(0, "127.0.0.1", listens));
  const browser = await launch(executablePath);
  try {
    const page = await browser.newPage();
    const lines = [];
    const enough = new Promise((done, fail) => {
      page.on("console", (m) => { if (lines.push(m.text()) === 3) done(); });
      page.on("pageerror", fail);
      setTimeout(() => fail(new Error("it has only heard " + JSON.stringify(lines))), 60_000);
    });
    await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
    await page.addScriptTag({ content: script });
    await enough;
    console.log(lines.slice(0, 3).join("\n"));
  } finally {
    await browser.close();
    elsewhere.close();
  }
})().then(() => process.exit(0), (e) => { console.log(String(e)); process.exit(1); });
