// judged: a program that answers each case that it gets with a line, and the
// answers that are wanted.
'use strict';

const {spawn} = require('node:child_process');

const IN_FLIGHT = 2000;      // cases

// Send the `count` cases, each [number, wanted, bytes], to the program and call
// check(number, wanted, line) for each line; report(done, ms) is printed after
// every `progress` of them and at the end. True: all were answered.
async function judged({program, args, cases, count, check, report, progress}) {
  const answers = spawn(program, args, {stdio: ['pipe', 'pipe', 'inherit']});
  const waiting = [];        // [number, wanted]
  const began = Date.now();
  let rest = '', done = 0, wake = () => {};
  const ended = new Promise((resolve) => answers.on('close', resolve));
  const isGone = () => answers.exitCode !== null || answers.signalCode !== null;
  const print = () => console.log(report(done, Date.now() - began));
  answers.stdin.on('error', () => {});  // told by the exit status
  answers.stdout.setEncoding('latin1').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      check(...waiting.shift(), line);
      if (++done % progress === 0) print();
    }
    wake();
  });
  ended.then(() => wake());
  for (const [number, wanted, bytes] of cases) {
    waiting.push([number, wanted]);
    answers.stdin.write(bytes);
    while (waiting.length >= IN_FLIGHT && !isGone())
      await new Promise((resolve) => { wake = resolve; });
    if (isGone()) break;
  }
  answers.stdin.end();
  await ended;
  print();
  const whole = answers.exitCode === 0 && done === count;
  if (!whole)
    console.log(`# the program ended with ` +
                `${answers.exitCode ?? answers.signalCode} at ` +
                `number ${waiting[0]?.[0]}`);
  return whole;
}

module.exports = {judged};
