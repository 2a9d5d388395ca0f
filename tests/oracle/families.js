// families: bodies of the forms that real ones have and documents.js has not:
// members in another order, optional or of random names, deep and wide items,
// numbers and strings of every kind and length, escaped keys, white space, large
// members that nobody asked for, doubled names; many of them longer than what a
// decoder looks at in one go. And mutants of all these.
'use strict';

const {Chance, EDGES, mutate} = require('./documents.js');

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const quote = JSON.stringify;
const list = (count, make) => Array.from({length: count}, (_, i) => make(i));
const object = (members) => `{${members.join(',')}}`;
const array = (values) => `[${values.join(',')}]`;
const member = (name, value) => `${quote(name)}:${value}`;

function word(c, most) {
  return list(1 + c.below(most), () => LETTERS[c.below(26)]).join('');
}

function shuffle(c, values) {
  for (let i = values.length - 1; i > 0; i--) {
    const j = c.below(i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
  return values;
}

// --- Values.

// What one script writes: [first code point, how many].
const SCRIPTS = [[0x20, 0x5f], [0xc0, 0x40], [0x410, 0x40], [0x5d0, 0x1b],
                 [0x904, 0x36], [0x3041, 0x56], [0x4e00, 0x5000],
                 [0xac00, 0x2000], [0x1f600, 0x50], [0x20000, 0x1000]];

function text(c, most) {
  const [from, count] = c.pick(SCRIPTS);
  return quote(list(c.below(most), () => c.percent(10) ? ' ' :
      String.fromCodePoint(from + c.below(count))).join(''));
}

const ESCAPES = ['\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t',
                 '\\u0000', '\\u00e9', '\\uABcd', '\\ud834\\udd1e', '\\ud834',
                 '\\udd1e', '\\ud834x', '\\\\\\\\', '\\\\\\"', '\\\\u'];

function escaped(c, most) {
  return '"' + list(c.below(most), () =>
      c.percent(50) ? c.pick(ESCAPES) : word(c, 5)).join('') + '"';
}

function digits(c, count) {
  return (1 + c.below(9)) +
         list(count - 1, () => c.below(10)).join('');
}

function integer(c, most) {
  return (c.percent(15) ? '-' : '') + digits(c, 1 + c.below(most));
}

function real(c) {
  switch (c.below(5)) {
    case 0: return c.below(1e5) + '.' + String(c.below(100)).padStart(2, '0');
    case 1: return `-${c.below(180)}.${digits(c, 6 + c.below(10))}`;
    case 2: return `${c.below(10)}.${digits(c, 1 + c.below(17))}` +
                   c.pick(['e', 'E']) + c.pick(['', '-', '+']) + c.below(310);
    case 3: return c.pick(EDGES);
    default: return digits(c, 20 + c.below(60)) + c.pick(['', '.0', 'e-30']);
  }
}

function tree(c, depth) {
  if (depth === 0 || c.percent(15)) return scalar(c);
  return c.percent(50)
      ? array(list(c.below(4), () => tree(c, depth - 1)))
      : object(list(c.below(4), () =>
            member(c.pick(['value', 'items', word(c, 3)]),
                   tree(c, depth - 1))));
}

function scalar(c) {
  switch (c.below(6)) {
    case 0: return integer(c, 12);
    case 1: return real(c);
    case 2: return text(c, 30);
    case 3: return escaped(c, 6);
    default: return c.pick(['true', 'false', 'null', '""', '{}', '[]', '0']);
  }
}

// --- Items, by what is unusual in them; `put` gives the wanted member.

function spelled(c, name) {
  return '"' + [...name].map((letter) => c.percent(40)
      ? '\\u' + letter.charCodeAt(0).toString(16).padStart(4, '0')
      : letter).join('') + '"';
}

const NEAR = ['valu', 'values', 'Value', 'vvalue', 'alue', 'value ', 'item',
              'items', 'itemss', 'v', ''];

const FAMILIES = {
  minimal: (c, put) => [put(integer(c, 4))],
  lengths: (c, put) => [member('id', integer(c, 17)), put(integer(c, 18))],
  orders: (c, put) => shuffle(c, [
    member('id', integer(c, 6)), member('sku', quote(word(c, 9))),
    member('price', real(c)), member('tags', array(list(c.below(4), () =>
        quote(word(c, 5))))), member('ok', 'true'), put(integer(c, 5))]),
  optional: (c, put) => ['id', 'name', 'size', 'note', 'flag']
      .filter(() => c.percent(70)).map((name) => member(name, scalar(c)))
      .concat(put(integer(c, 5))),
  keys: (c, put) => shuffle(c, [...list(c.below(6), () =>
      member(word(c, 12), scalar(c))), put(integer(c, 4))]),
  near: (c, put) => shuffle(c, [...list(c.below(5), () =>
      member(c.pick(NEAR), scalar(c))), put(integer(c, 4))]),
  deep: (c, put) => [member('tree', tree(c, 1 + c.below(12))),
                     put(integer(c, 4))],
  wide: (c, put) => shuffle(c, [...list(60, (i) =>
      member(`k${i}`, scalar(c))), put(integer(c, 4))]),
  reals: (c, put) => [member('x', real(c)), put(real(c)),
                      member('y', real(c))],
  nineteen: (c, put) => [put((c.percent(40) ? '-' : '') +
      c.pick(['92233720368547758', '18446744073709551', '1000000000000000',
              '99999999999999999', '4611686018427387']) +
      digits(c, 1 + c.below(4)))],
  scripts: (c, put) => [member('name', text(c, 80)), put(integer(c, 4)),
                        member('note', text(c, 10))],
  escapes: (c, put) => [member('s', escaped(c, 40)), put(integer(c, 4))],
  escapedKeys: (c, put) => shuffle(c, [
    `${spelled(c, c.pick(NEAR))}:${scalar(c)}`, `${escaped(c, 4)}:1`,
    c.percent(50) ? put(integer(c, 4))
                  : `${spelled(c, 'value')}:${integer(c, 4)}`]),
  doubled: (c, put) => [...list(c.below(4), () =>
      member('value', c.percent(60) ? integer(c, 4) : scalar(c))),
      put(integer(c, 4))],
  words: (c, put) => [member('w', array(list(c.below(30), () =>
      c.pick(['true', 'false', 'null'])))), put(integer(c, 4))],
  typed: (c, put) => [c.percent(85) ? put(integer(c, 4))
                                    : member('value', scalar(c))],
};
const NAMES = Object.keys(FAMILIES);

const BLANKS = [' ', '  ', '\n', '\t', '\r\n', '\n      ', ' '.repeat(70)];

// White space of any length between any two tokens. Strings are left alone.
function spread(c, json) {
  return json.replace(/"(?:\\.|[^"\\])*"|[{}[\],:]/g, (token) =>
      token[0] === '"' || c.percent(50) ? token : c.pick(['', c.pick(BLANKS)]) +
                                              token + c.pick(BLANKS));
}

// So much that what follows is near the end of a window of 4 or 8 KiB.
function filler(c, near) {
  const n = Math.max(0, near - 30 - c.below(80));
  switch (c.below(4)) {
    case 0: return member('pad', quote('x'.repeat(n)));
    case 1: return member('pad', array(list(n / 5, () => 'null')));
    case 2: return member('pad', `1${' '.repeat(n)}`);
    default: return member('pad', array(list(n / 40, () =>
        object([member('value', integer(c, 3)), member('a', text(c, 20))]))));
  }
}

function body(c, family, near) {
  const item = () => object(FAMILIES[family === null ? c.pick(NAMES) : family](
      c, (value) => member('value', value)));
  const some = () => c.below(c.pick([2, 5, 20]));
  const members = [member('items', array(list(some(), item)))];
  const beside = c.percent(10) ? 2 : 0;
  for (let i = 0; i < beside; i++)
    members.unshift(c.percent(50) ? member('items', array(list(some(), item)))
                                  : member('items', scalar(c)));
  if (near > 0) members.unshift(filler(c, near));
  if (c.percent(20)) members.push(member('meta', tree(c, 5)));
  if (c.percent(10)) shuffle(c, members);
  const json = object(members);
  return c.percent(15) ? spread(c, json) : json;
}

// --- Mutants: of the marks between tokens, where mutate() takes any byte.

function unmark(c, json) {
  const marks = [...json.matchAll(/"(?:\\.|[^"\\])*"|[{}[\],:]/g)];
  if (marks.length < 2) return json;
  const one = c.pick(marks), other = c.pick(marks);
  const before = json.slice(0, one.index);
  const behind = json.slice(one.index + one[0].length);
  switch (c.below(4)) {
    case 0: return before + behind;
    case 1: return before + one[0] + one[0] + behind;
    case 2: return before + other[0] + behind;
    default: return before + one[0] + other[0] + behind;
  }
}

/** The bytes of document `number` of a second row of documents. The eight that
 * follow each other are of one family, but one row in four is of all. `long`:
 * may they be longer than a few hundred bytes? */
function makeOfFamily(seed, number, long = true) {
  const c = new Chance(seed ^ 0x2545f491, number);
  const form = new Chance(~seed, Math.floor(number / 8));
  const family = form.percent(25) ? null : form.pick(NAMES);
  const near = long && c.percent(25) ? c.pick([1024, 4096, 4096, 8192]) : 0;
  let json = body(c, family, near);
  for (let turn = 0; !long && json.length > 700 && turn < 5; turn++)
    json = body(c, 'keys', 0);
  const kind = c.below(100);
  if (kind < 20) return Buffer.from(unmark(c, json));
  return kind < 40 ? mutate(c, Buffer.from(json)) : Buffer.from(json);
}

module.exports = {makeOfFamily};
