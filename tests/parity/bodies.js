// bodies: request bodies for `tallyctl replay --format log`, the same for the
// same numbers on every machine.
//
//   node bodies.js COUNT [FIRST]
//
// First every pair of the edge values, as sums of two; then the documents made
// by chance from number FIRST (default 0) on.
'use strict';

const {make, EDGES} = require('../oracle/documents.js');

const SEED = 20261124;
const PIECE = 1 << 16;  // characters written at once

function line(bytes) {
  return `{"body_base64":"${bytes.toString('base64')}"}\n`;
}

function* lines(count, first) {
  for (const a of EDGES)
    for (const b of EDGES)
      yield line(Buffer.from(`{"items":[{"value":${a}},{"value":${b}}]}`));
  for (let number = first; number < first + count; number++)
    yield line(make(SEED, number));
}

async function main([count, first]) {
  let text = '';
  for (const one of lines(Number(count), Number(first ?? 0))) {
    text += one;
    if (text.length < PIECE) continue;
    if (!process.stdout.write(text))
      await new Promise((resolve) => process.stdout.once('drain', resolve));
    text = '';
  }
  process.stdout.end(text);
}

process.stdout.on('error', () => process.exit(1));  // nobody reads any more
main(process.argv.slice(2));
