// queries: the generator of tests/reference/node against tallyd's decoders, over
// settings and bodies made by chance.
//
//   node queries.js PROGRAM COUNT [FIRST]
//
// PROGRAM is that of queries.c. COUNT pairs from number FIRST (default 0) on;
// BODIES bodies have the same settings. Prints TAP.
'use strict';

const {handlerOf, generate, Fault} = require('../reference/node/generate.js');
const {judged} = require('./judged.js');
const {makeBody, makePlan} = require('./plans.js');

const SEED = 20261129;
const BODIES = 20;
const PROGRESS = 100000;
const TOLD = 5;

const tally = {};
let differences = 0;

function judge(handler, body) {
  try {
    return `result ${handler(body).toString('latin1')}`;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return error.outcome === 'malformed_json' ? error.outcome
        : `${error.outcome} ${Buffer.from(error.place).toString('latin1')}`;
  }
}

function check(number, wanted, line) {
  const kind = wanted.split(' ')[0];
  tally[kind] = (tally[kind] ?? 0) + 1;
  if (wanted === line || ++differences > TOLD) return;
  const plan = makePlan(SEED, Math.floor(number / BODIES));
  console.log(`# pair ${number}: wanted ${wanted}`);
  console.log(`# got ${line}`);
  for (const text of plan.lines) console.log(`#   ${text}`);
  console.log(`#   ${makeBody(SEED, number, plan)}`);
  console.log(generate(plan.settings).replace(/^/gm, '#     '));
}

function summary(done, ms) {
  const kinds = Object.entries(tally).map(([kind, n]) => `${kind} ${n}`);
  return `# ${done} pairs, ${(ms / 1000).toFixed(0)} s: ` +
         `${kinds.join(', ')}; differences ${differences}`;
}

// One frame: the settings go with their first body alone.
function frame(number, lines, body) {
  const text = Buffer.from(lines === null ? '' : lines.join('\n'));
  const head = Uint32Array.of(number, text.length, body.length);
  return Buffer.concat([Buffer.from(head.buffer), text, body]);
}

function* pairs(first, count) {
  let plan, handler;
  for (let number = first; number < first + count; number++) {
    const fresh = number === first || number % BODIES === 0;
    if (fresh) {
      plan = makePlan(SEED, Math.floor(number / BODIES));
      handler = handlerOf(plan.settings);
    }
    const body = makeBody(SEED, number, plan);
    yield [number, judge(handler, body),
           frame(number, fresh ? plan.lines : null, body)];
  }
}

async function main([program, count, first = '0']) {
  const whole = await judged({
    program, args: [], count: Number(count),
    cases: pairs(Number(first), Number(count)), check, report: summary,
    progress: PROGRESS});
  const ok = whole && differences === 0 && tally.result > 0;
  console.log(`${ok ? 'ok' : 'not ok'} 1 - Node and the decoders agree on ` +
              'random queries');
  process.exitCode = ok ? 0 : 1;
}

console.log('1..1');
main(process.argv.slice(2));
