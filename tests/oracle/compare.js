// compare: Node against tallyd's decoders, document by document.
//
//   node compare.js [--cuts] ANSWERS COUNT [FIRST]
//
// ANSWERS is the program of answers.c. Prints TAP; document FIRST (default 0)
// and those that follow are the same each time. With --cuts they are short, and
// each is cut at every byte. Every second row of eight is of families.js. Of
// some documents the depth that is allowed is just enough, or one less.
'use strict';

const {Chance, make} = require('./documents.js');
const {makeOfFamily} = require('./families.js');
const {depthOf, judge} = require('./judge.js');
const {judged} = require('./judged.js');

const SEED = 20240917;
const PROGRESS = 50000;      // documents from line to line
const TOLD = 10;             // differences that are printed
const TOLD_BYTES = 5000;
const MAX_DEPTH = 64;
const SHORT = 600;           // bytes of a document that is cut everywhere

const tally = {};            // kind: documents
const counts = {offsets: 0, bits: 0, infinite: 0, int64: 0, inexact: 0,
                bytes: 0};
let differences = 0;

const cuts = process.argv[2] === '--cuts';

// {bytes, depth}: a document and the depth that is allowed.
function document(number) {
  const c = new Chance(SEED, number);
  const ofFamily = Math.floor(number / 8) % 2 === 1;
  let bytes = ofFamily ? makeOfFamily(SEED, number, !cuts) : make(SEED, number);
  if (cuts && bytes.length > SHORT) bytes = makeOfFamily(SEED, number, false);
  const deep = Math.min(depthOf(bytes.toString('latin1')).most, MAX_DEPTH);
  return {bytes, depth: c.percent(80) ? MAX_DEPTH
      : Math.max(1, deep - c.pick([0, 0, 1, 1, 2]))};
}

function bitsOf(value) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}

// What is wrong with the answer in double; null: nothing.
function checkDouble(wanted, got) {
  const [kind, first, text] = got.split(' ');
  switch (wanted.kind) {
    case 'shape':
      return got === `wrong_shape ${wanted.pointer}` ? null : wanted.pointer;
    case 'sum':
      if (kind !== 'sum') return 'a sum';
      if (!Number.isFinite(wanted.sum)) {
        counts.infinite++;
        return text === 'none' ? null : 'no finite sum';
      }
      counts.bits++;
      return first === bitsOf(wanted.sum) && text === String(wanted.sum)
          ? null : `${bitsOf(wanted.sum)} ${wanted.sum}`;
    default:
      if (kind !== 'malformed_json') return '';
      if ((wanted.offset ?? null) === null) return null;
      counts.offsets++;
      return Number(first) === wanted.offset ? null : wanted.offset;
  }
}

const itemOf = (pointer) => Number(pointer.split('/')[2] ?? -1);

// The same in int64, as far as a Number can tell. An integer that is written
// with a fraction or exponent is none, which JSON.parse does not show.
function checkInt64(wanted, got, inDouble) {
  const [kind, text] = got.split(' ');
  if (wanted.kind === 'shape')
    return kind === 'wrong_shape' &&
           (text === wanted.pointer || itemOf(text) < itemOf(wanted.pointer))
        ? null : `${wanted.pointer} or an item before`;
  if (wanted.kind !== 'sum')
    return got === inDouble ? null : 'the same offset';
  if (wanted.fraction >= 0)
    return kind === 'wrong_shape' && itemOf(text) <= wanted.fraction
        ? null : `item ${wanted.fraction} has a fraction`;
  if (kind === 'wrong_shape') return null;
  if (!wanted.exact) {
    counts.inexact++;
    return kind === 'sum' ? null : 'a sum';
  }
  counts.int64++;
  return text === String(wanted.sum) ? null : String(wanted.sum);
}

function check(number, wanted, line) {
  const [inDouble, inInt64] = line.split('\t');
  tally[wanted.kind] = (tally[wanted.kind] ?? 0) + 1;
  const wrong = checkDouble(wanted, inDouble) ??
                checkInt64(wanted, inInt64, inDouble);
  if (wrong === null || ++differences > TOLD) return;
  console.log(`# document ${number}: wanted ${wanted.kind} ${wrong}`);
  console.log(`# got ${line}`);
  const {bytes, depth} = document(number);
  console.log(`# depth ${depth} ` +
              JSON.stringify(bytes.toString('latin1')).slice(0, TOLD_BYTES));
}

function summary(done, ms) {
  const kinds = ['sum', 'shape', 'malformed', 'utf8', 'depth']
      .map((kind) => `${kind} ${tally[kind] ?? 0}`).join(', ');
  return `# ${done} documents, ${(counts.bytes / 1e6).toFixed(0)} MB, ` +
         `${(ms / 1000).toFixed(0)} s: ${kinds}; differences ${differences}`;
}

function* documents(first, count) {
  for (let number = first; number < first + count; number++) {
    const {bytes, depth} = document(number);
    const head = Buffer.from(
        Uint32Array.of(number, bytes.length, depth).buffer);
    counts.bytes += bytes.length;
    yield [number, judge(bytes, depth), Buffer.concat([head, bytes])];
  }
}

async function main([program, count, first = '0']) {
  const whole = await judged({
    program, args: cuts ? ['cuts'] : [], count: Number(count),
    cases: documents(Number(first), Number(count)), check, report: summary,
    progress: PROGRESS});
  console.log(`# offsets ${counts.offsets}; sums bit for bit ${counts.bits}, ` +
              `not finite ${counts.infinite}; int64 sums ${counts.int64}, ` +
              `beyond a Number ${counts.inexact}`);
  const ok = whole && differences === 0 && counts.bits > 0;
  console.log(`${ok ? 'ok' : 'not ok'} 1 - Node and all decoders agree` +
              (cuts ? ', wherever a document is cut' : ''));
  process.exitCode = ok ? 0 : 1;
}

console.log('1..1');
main(process.argv.slice(cuts ? 3 : 2));
