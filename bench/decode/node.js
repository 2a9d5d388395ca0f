// JSON.parse and a loop: node node.js ARRAY FIELD MS FILE. Prints the
// nanoseconds for all bodies of the file once and the sum of all of them.
'use strict';
const fs = require('fs');
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

// CPU time, as for the others; a process of its own has threads of its own.
function now() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1e3;
}

let sum = 0;
for (const end = now() + ms * 1e6; now() < end;) sum = once();
let n = 0, passed;
const began = now();
do { once(); n++; passed = now() - began; } while (passed < ms * 1e6);
console.log(JSON.stringify({ ns: passed / n, sum }));
