// Runs the scripts of this directory for those who ask for them, one beside the other: to start node and a browser for
// each takes as long as many of them do. It reads a line of JSON for each, {"id": 1, "args": ["pages.js", BASE, ...]},
// and answers with one when the script is through, {"id": 1, "code": 0, "said": "..."}. It ends with its input.
"use strict";
const fs = require("fs");
const Module = require("module");
const readline = require("readline");
require("./open.js").share();

// run gives a script what it has where it runs alone: arguments, something to write to and a code to end with.
async function run([name, ...args]) {
  const said = [], say = (...what) => { said.push(what.join(" ")); };
  const alone = { argv: ["node", name, ...args], exitCode: 0, exit: (code = alone.exitCode) => { alone.exitCode = code; } };
  try {
    const script = new Module(require.resolve("./" + name), module);
    script.filename = script.id;
    script.paths = module.paths;
    script.given = { process: alone, console: { log: say, error: say } };
    script._compile(`"use strict"; const { process, console } = module.given; ${fs.readFileSync(script.id, "utf8")}`, script.id);
    await script.exports;
  } catch (e) {
    say(String(e.stack || e));
    alone.exitCode = 1;
  }
  return { code: alone.exitCode, said: said.map((line) => line + "\n").join("") };
}

readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, args } = JSON.parse(line);
  process.stdout.write(JSON.stringify({ id, ...(await run(args)) }) + "\n");
}).on("close", () => process.exit(0));
