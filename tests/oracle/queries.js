// queries: the generator of tests/reference/node against tallyd's decoders, over
// settings and bodies made by chance.
//
//   node queries.js PROGRAM COUNT [FIRST]
//
// PROGRAM is that of queries.c. COUNT pairs from number FIRST (default 0) on;
// BODIES bodies have the same settings. Prints TAP.
'use strict';

const {spawn} = require('node:child_process');
const {handlerOf, generate, Fault} = require('../reference/node/generate.js');
const {makeBody, makePlan} = require('./plans.js');

const SEED = 20261129;
const BODIES = 20;
const IN_FLIGHT = 2000;
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

function summary(done, began) {
  const kinds = Object.entries(tally).map(([kind, n]) => `${kind} ${n}`);
  return `# ${done} pairs, ${((Date.now() - began) / 1000).toFixed(0)} s: ` +
         `${kinds.join(', ')}; differences ${differences}`;
}

// One frame: the settings go with their first body alone.
function frame(number, lines, body) {
  const text = Buffer.from(lines === null ? '' : lines.join('\n'));
  const head = Uint32Array.of(number, text.length, body.length);
  return Buffer.concat([Buffer.from(head.buffer), text, body]);
}

async function main([program, count, first]) {
  const start = Number(first ?? 0), end = start + Number(count);
  const answers = spawn(program, {stdio: ['pipe', 'pipe', 'inherit']});
  const waiting = [];
  const began = Date.now();
  let rest = '', done = 0, wake = () => {}, plan, handler;
  const ended = new Promise((resolve) => answers.on('close', resolve));
  const isGone = () => answers.exitCode !== null || answers.signalCode !== null;
  answers.stdin.on('error', () => {});  // told by the exit status
  answers.stdout.setEncoding('latin1').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      check(...waiting.shift(), line);
      if (++done % PROGRESS === 0) console.log(summary(done, began));
    }
    wake();
  });
  ended.then(() => wake());
  for (let number = start; number < end && !isGone(); number++) {
    const fresh = number === start || number % BODIES === 0;
    if (fresh) {
      plan = makePlan(SEED, Math.floor(number / BODIES));
      handler = handlerOf(plan.settings);
    }
    const body = makeBody(SEED, number, plan);
    waiting.push([number, judge(handler, body)]);
    answers.stdin.write(frame(number, fresh ? plan.lines : null, body));
    while (waiting.length >= IN_FLIGHT && !isGone())
      await new Promise((resolve) => { wake = resolve; });
  }
  answers.stdin.end();
  await ended;
  console.log(summary(done, began));
  const whole = answers.exitCode === 0 && done === Number(count);
  if (!whole)
    console.log(`# ended with ${answers.exitCode ?? answers.signalCode} at ` +
                `pair ${waiting[0]?.[0]}`);
  const ok = whole && differences === 0 && tally.result > 0;
  console.log(`${ok ? 'ok' : 'not ok'} 1 - Node and the decoders agree on ` +
              'random queries');
  process.exitCode = ok ? 0 : 1;
}

console.log('1..1');
main(process.argv.slice(2));
