// JSON.parse and a loop: node node.js ARRAY FIELD MS FILE. Prints the
// nanoseconds for all bodies of the file once and the sum of all of them.
'use strict';
const fs = require('fs');
const measure = require('./measure.js');
const [array, field, ms, path] = process.argv.slice(2);

function bodies() {
  const bytes = fs.readFileSync(path);
  const separator = path.endsWith('.ndjson') ? '\n'
    : path.endsWith('.json-seq') ? '\x1e' : null;
  if (separator === null) return [bytes];
  return bytes.toString('latin1').split(separator).filter((text) => text !== '')
    .map((text) => Buffer.from(text, 'latin1'));
}

const all = bodies();
function once() {
  let sums = 0;
  for (const bytes of all) {
    let sum = 0;
    for (const item of JSON.parse(bytes.toString())[array])
      sum = sum + item[field] * 2;
    sums = sums + sum;
  }
  return sums;
}

measure(once, ms);
