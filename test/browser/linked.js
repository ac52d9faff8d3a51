// Reads JSON-LD as a machine does: expands it and prints every triple's subject,
// predicate and object, a line each.
//
//   node linked.js FILE BASE
"use strict";
const jsonld = require("jsonld");
const [file, base] = process.argv.slice(2);
const offline = async (url) => { throw new Error("it needs " + url); };
module.exports = (async () => {
  const doc = JSON.parse(require("fs").readFileSync(file, "utf8"));
  const out = await jsonld.toRDF(doc, { base, documentLoader: offline, safe: true });
  for (const q of out) console.log(`${q.subject.value}\t${q.predicate.value}\t${q.object.value}`);
})().catch((e) => { console.error(String(e)); process.exit(1); });
