/* Reads rendered manifests (YAML, several documents) and prints {objects, faults}
 * as JSON: what they are, and where they are not what the schemas of the npm
 * package kubernetes-models say. Those let unknown keys pass, which a cluster
 * would drop in silence, so a walk over the same schemas finds them. */
"use strict";

const Module = require("module");
const {parseAllDocuments} = require("yaml");

/* Every schema that the package registers, by its id. */
const schemas = new Map();
const load = Module._load;
Module._load = function (name, ...rest) {
  const loaded = load.call(this, name, ...rest);
  if (name !== "@kubernetes-models/validate") return loaded;
  return {...loaded, register(id, schema) {
    schemas.set(id, schema);
    return loaded.register(id, schema);
  }};
};

const PACKAGES = {
  "keda.sh/v1alpha1": "@kubernetes-models/keda/keda.sh/v1alpha1",
  "monitoring.coreos.com/v1":
    "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
};

function modelOf(object) {
  const version = object.apiVersion;
  const models = require(PACKAGES[version] || `kubernetes-models/${version}`);
  return models[object.kind];
}

/* The schemas that a value may follow: what $ref, oneOf and so on lead to. */
function alternatives(schema) {
  if (schema.$ref) return alternatives(schemas.get(schema.$ref.replace(/#$/, "")));
  const all = [...(schema.oneOf || []), ...(schema.anyOf || []),
    ...(schema.allOf || [])];
  const own = schema.properties || schema.items || schema.additionalProperties ||
    schema["x-kubernetes-preserve-unknown-fields"] || all.length === 0;
  return [...(own ? [schema] : []), ...all.flatMap(alternatives)];
}

function* unknownKeys(value, list, path) {
  if (Array.isArray(value)) {
    const items = list.flatMap((s) => (s.items ? alternatives(s.items) : []));
    for (const [i, item] of value.entries())
      if (items.length) yield* unknownKeys(item, items, `${path}/${i}`);
    return;
  }
  if (value === null || typeof value !== "object") return;
  const objects = list.filter((s) => s.properties || s.additionalProperties);
  if (objects.length === 0) return; // any keys will do
  if (list.some((s) => s["x-kubernetes-preserve-unknown-fields"])) return;
  for (const [key, part] of Object.entries(value)) {
    const parts = objects.flatMap((s) =>
      s.properties && Object.hasOwn(s.properties, key) ? alternatives(s.properties[key])
        : typeof s.additionalProperties === "object"
          ? alternatives(s.additionalProperties)
          : s.additionalProperties ? [{}] : []);
    if (parts.length === 0) yield `${path}/${key}: no such key`;
    else yield* unknownKeys(part, parts, `${path}/${key}`);
  }
}

function* faultsOf(object) {
  let model;
  try {
    model = modelOf(object);
  } catch (error) {
    yield `${object.apiVersion}: ${error.message}`;
    return;
  }
  if (!model) {
    yield `${object.apiVersion} has no ${object.kind}`;
    return;
  }
  const before = schemas.size;
  try {
    new model(object).validate();
  } catch (error) {
    yield error.message;
  }
  const id = [...schemas.keys()].find((name) =>
    name.endsWith(`.${object.apiVersion.split("/").pop()}.${object.kind}`) &&
    schemas.get(name).properties.apiVersion);
  if (!id) yield `no schema among ${before} and more`;
  else yield* unknownKeys(object, alternatives(schemas.get(id)), "");
}

const text = require("fs").readFileSync(0, "utf8");
const documents = parseAllDocuments(text);
const objects = documents.map((document) => document.toJS());
const faults = documents.flatMap((document) =>
  document.errors.map((error) => error.message));
for (const object of objects)
  for (const fault of faultsOf(object))
    faults.push(`${object.kind} ${object.metadata?.name}: ${fault}`);
console.log(JSON.stringify({objects, faults}));
