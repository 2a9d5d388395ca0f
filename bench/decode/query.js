// The query of peers.h by JSON.parse and a loop: node query.js MS FILE. Prints
// the nanoseconds for all bodies of the file once and the sum of all of them.
'use strict';
const fs = require('fs');
const measure = require('./measure.js');
const [ms, path] = process.argv.slice(2);
const all = fs.readFileSync(path, 'utf8').split('\n')
  .filter((text) => text !== '').map((text) => Buffer.from(text));

function once() {
  let sums = 0;
  for (const bytes of all) {
    let total = 0;
    for (const line of JSON.parse(bytes.toString()).order.lines)
      if (line.status === 'paid')
        total = total + line.price.amount * line.quantity;
    sums = sums + total;
  }
  return sums;
}

measure(once, ms);
