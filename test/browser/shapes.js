// Holds JSON-LD against SHACL shapes and prints what does not conform, a line each:
// severity, node, path and message.
//
//   node shapes.js FILE BASE SHAPES.ttl
"use strict";
const fs = require("fs");
const jsonld = require("jsonld");
const { Parser, Store } = require("n3");
const [file, base, shapes] = process.argv.slice(2);
const offline = async (url) => { throw new Error("it needs " + url); };
const local = (term) => (term ? term.value : "");
module.exports = (async () => {
  const { default: Validator } = await import(require.resolve("rdf-validate-shacl"));
  const doc = JSON.parse(fs.readFileSync(file, "utf8"));
  const quads = await jsonld.toRDF(doc, { base, documentLoader: offline, safe: true, format: "application/n-quads" });
  const data = new Store(new Parser({ format: "N-Quads" }).parse(quads));
  const report = await new Validator(new Store(new Parser().parse(fs.readFileSync(shapes, "utf8")))).validate(data);
  for (const r of report.results) {
    const message = r.message.map(local).join(" ");
    console.log([local(r.severity).split("#")[1], local(r.focusNode), local(r.path), message].join("\t"));
  }
  console.log(`${data.size} triples, ${report.results.length} findings`);
})().catch((e) => { console.error(String(e)); process.exit(1); });
