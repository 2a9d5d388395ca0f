// measure: call `once` for `ms` milliseconds to warm up and for `ms` more, and
// print the nanoseconds of one call and what it gave.
'use strict';

// CPU time, as for the others; a process of its own has threads of its own.
function now() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1e3;
}

module.exports = function measure(once, ms) {
  let sum = 0;
  for (const end = now() + ms * 1e6; now() < end;) sum = once();
  let n = 0, passed;
  const began = now();
  do { once(); n++; passed = now() - began; } while (passed < ms * 1e6);
  console.log(JSON.stringify({ ns: passed / n, sum }));
};
