// bodies: request bodies for `tallyctl replay --format log`, the same for the
// same numbers on every machine.
//
//   node bodies.js NUMBERS COUNT [FIRST]
//
// First every pair of the edge values, as sums of two; then the documents made
// by chance from number FIRST (default 0) on. Most of them are such as a handler
// accepts that adds NUMBERS, double or int64; and each so many is of a kind that
// chance makes too seldom.
'use strict';

const {make, EDGES} = require('../oracle/documents.js');

const SEED = 20261124;
const TAME = {double: 40, int64: 75};  // percent
const SELDOM = 100;                    // documents from one to the next
const PIECE = 1 << 16;  // characters written at once

function line(bytes) {
  return `{"body_base64":"${bytes.toString('base64')}"}\n`;
}

const RARE = [
  '{"items":[{"value":1,"\\udc00":2}]}',
  '{"items":[{"value":3}],"\\ud800\\ud800":null}',
  `{"items":[],"x":${'['.repeat(1100)}${']'.repeat(1100)}}`,
  `{"items":[],"x":"${'x'.repeat(70000)}"}`,
  '{"items":[{"value":-0},{"value":5}]}',
  '{"items":[],"x":"\xff"}',
  '[[{"value":5}]]',
  '{"items":[[5],{"value":1}]}',
  '{"items":[{"value":4611686018427387904},{"value":7}]}',
];

function body(number, numbers) {
  const turn = number / SELDOM;
  return Number.isInteger(turn)
      ? Buffer.from(RARE[turn % RARE.length], 'latin1')
      : make(SEED, number, TAME[numbers], numbers);
}

function* lines(numbers, count, first) {
  for (const a of EDGES)
    for (const b of EDGES)
      yield line(Buffer.from(`{"items":[{"value":${a}},{"value":${b}}]}`));
  for (let number = first; number < first + count; number++)
    yield line(body(number, numbers));
}

async function main([numbers, count, first]) {
  let text = '';
  for (const one of lines(numbers, Number(count), Number(first ?? 0))) {
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
