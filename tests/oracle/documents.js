// documents: bodies made by chance, the same for the same number on every
// machine: valid ones, nearly valid ones and hostile ones. Those that follow
// each other have one form, as the requests of one client have.
'use strict';

// A generator of our own: a counter through the finalizer of MurmurHash3.
class Chance {
  constructor(seed, number) {
    this.state = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) ^
                 Math.imul(number + 1, 0x85ebca6b);
  }

  below(n) {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let h = this.state;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
    return Math.floor((h >>> 0) / 4294967296 * n);
  }

  percent(p) { return this.below(100) < p; }
  pick(list) { return list[this.below(list.length)]; }
}

// --- Scalars.

const EDGES = [
  '0', '-0', '9223372036854775807', '-9223372036854775808',
  '9223372036854775808', '-9223372036854775809', '18446744073709551615',
  '18446744073709551616', '9007199254740991', '9007199254740993',
  '999999999999999999', '1000000000000000000', '99999999', '100000000',
  '123456789012345678901234567890', '1e400', '-1e400', '1e-400', '0.1', '-0.1',
  '1.0', '1e2', '1E+2', '1e-2', '5e-324', '2.2250738585072011e-308',
  '1.7976931348623157e308', '0.30000000000000004', '4.35', '0e0', '-0.0',
  '1.00000000000000011102230246251565404236316680908203125',
  '9007199254740992.5', '1e23', '8.5e22', '123456789012345678.5',
];
const NO_NUMBERS = ['01', '-', '1.', '.5', '1e', '1e+', '+1', '0x1', '--1',
                    '1.e1', 'NaN', 'Infinity', '-Infinity', '00', '1_0'];
const NO_VALUES = ['', 'nul', 'True', 'undefined', "'a'", '"a', 'a"', '/**/1',
                   '[1,]', '{"a":1,}', '{a:1}', '[', '}', '"\\x"', '"\\u12"'];

function digits(c, count) {
  let text = String(1 + c.below(9));
  while (text.length < count) text += c.below(10);
  return text;
}

function number(c) {
  const sign = c.percent(20) ? '-' : '';
  switch (c.below(8)) {
    case 0: case 1: case 2: return sign + c.below(c.pick([10, 1000, 1e6]));
    case 3: return sign + digits(c, 1 + c.below(19));
    case 4: return sign + c.below(1000) + '.' + digits(c, 1 + c.below(17));
    case 5: return sign + digits(c, 1 + c.below(17)) + c.pick(['e', 'E']) +
                   c.pick(['', '+', '-']) + c.below(c.pick([10, 30, 330]));
    case 6: return sign + digits(c, 15 + c.below(30));
    default: return c.pick(EDGES);
  }
}

// One that an int64 holds, and so does twice the sum of a few of most.
const INTEGERS = ['0', '9007199254740991', '9007199254740993', '99999999',
                  '-9007199254740993', '999999999999999999', '100000000',
                  '4611686018427387903', '-4611686018427387904'];

function integer(c) {
  const sign = c.percent(20) ? '-' : '';
  switch (c.below(8)) {
    case 0: return c.pick(INTEGERS);
    case 1: return sign + digits(c, 17);
    case 2: case 3: return sign + digits(c, 1 + c.below(16));
    default: return sign + (1 + c.below(c.pick([10, 1000, 1e6])));
  }
}

const PIECES = ['a', 'value', 'items', ' ', '0', '"', '\\', '/', '\b', '\f',
                '\n', '\r', '\t', '\0', '\x1f', '\x7f', '\u00e9', '\u20ac',
                '\ud834\udd1e', '\ud834', '\uffff', '\u2028', '{', '}', '[',
                ']', ':', ',', 'plain text of some length, nothing special'];

// One UTF-16 unit or one character as it may stand between quotes.
function spell(c, piece) {
  const code = piece.charCodeAt(0);
  const hex = () => {
    const four = code.toString(16).padStart(4, '0');
    return '\\u' + (c.percent(50) ? four : four.toUpperCase());
  };
  const lone = piece.length === 1 && code >= 0xd800 && code <= 0xdfff;
  if (lone || (piece.length === 1 && c.percent(5))) return hex();
  if (piece === '/' && c.percent(50)) return '\\/';
  return JSON.stringify(piece).slice(1, -1);
}

function string(c) {
  let text = '';
  for (let i = c.below(c.pick([1, 2, 5, 12])); i > 0; i--)
    text += spell(c, c.pick(PIECES));
  return '"' + text + '"';
}

function key(c, name, escaped) {
  if (!c.percent(escaped)) return JSON.stringify(name);
  const at = c.below(name.length + 1);
  return '"' + name.slice(0, at) +
         (at < name.length ? '\\u' + name.charCodeAt(at).toString(16)
                                         .padStart(4, '0')
                           : c.pick(['', '\\u0000', ' '])) +
         name.slice(at + 1) + '"';
}

// --- Structure. `s` is the style of one document.

const BLANKS = [' ', '\n', '\t', '\r', '\r\n', '  ', '\n    ', ' \n\t '];

function makeStyle(c) {
  const kind = c.below(5);
  return {
    colon: kind === 0 ? ': ' : kind === 1 ? ' : ' : ':',
    comma: kind === 1 ? ' , ' : kind === 2 ? ', ' : ',',
    line: kind === 3 ? c.pick(['\n', '\r\n']) : '',
    indent: c.pick([' ', '  ', '    ', '\t']),
    wild: kind === 4 ? c.pick([5, 30]) : 0,  // percent of the gaps
    escaped: c.percent(10) ? c.pick([3, 50]) : 0,
    odd: c.pick([0, 0, 0, 2, 20]),    // percent of the values that are odd
    change: c.pick([0, 0, 5, 30]),    // of the items that depart from the rest
    doubled: c.pick([0, 0, 2, 15, 40]),  // of the items with a second `value`
    sizes: c.pick([[1000], [10, 1000], [9, 1e5], [10, 1000, 1e5, 1e9]]),
    wrong: c.percent(8) ? c.pick([1, 10]) : 0,  // of what breaks the shape
    broken: c.percent(6) ? 1 : 0,               // of what is not JSON
    number,            // makes the odd values
    single: false,     // no second `items` or `value`
  };
}

// As clients make them: nothing in it is wrong, so that its sum is compared. A
// typed service takes integers only, and each member once.
function tame(c, s, numbers) {
  const typed = numbers === 'int64';
  return {...s, wrong: 0, broken: 0, single: typed,
          number: typed ? integer : number,
          doubled: typed ? 0 : s.doubled,
          odd: c.pick([0, 2, 20, 70])};
}

function gap(c, s) { return s.wild && c.percent(s.wild) ? c.pick(BLANKS) : ''; }

function list(c, s, open, close, parts, level) {
  const line = s.line && parts.length ? s.line + s.indent.repeat(level) : '';
  const end = line && s.line + s.indent.repeat(level - 1);
  const comma = line ? ',' : s.comma;
  return open + gap(c, s) + line +
         parts.join(gap(c, s) + comma + gap(c, s) + line) + end + gap(c, s) +
         close;
}

function member(c, s, name, value) {
  return key(c, name, s.escaped) + gap(c, s) + s.colon + gap(c, s) + value;
}

function scalar(c, s) {
  if (c.percent(s.broken)) return c.pick([...NO_NUMBERS, ...NO_VALUES]);
  switch (c.below(4)) {
    case 0: return string(c);
    case 1: return c.pick(['true', 'false', 'null']);
    default: return number(c);
  }
}

function value(c, s, level) {
  if (level > 6 || c.percent(70)) return scalar(c, s);
  const parts = [];
  const object = c.percent(50);
  for (let i = c.below(c.pick([1, 3, 5])); i > 0; i--) {
    const part = value(c, s, level + 1);
    parts.push(object ? member(c, s, c.pick(NAMES), part) : part);
  }
  return list(c, s, object ? '{' : '[', object ? '}' : ']', parts, level);
}

const NAMES = ['value', 'items', 'id', 'name', 'tags', 'size', 'a', '', 'Value',
               'values', 'valu', '\u00e9', 'a longer name than most of them',
               '__proto__', 'constructor', 'length'];

function wanted(c, s) {
  if (c.percent(s.broken)) return c.pick(NO_NUMBERS);
  if (c.percent(s.wrong))
    return c.pick(['"5"', 'null', 'true', '[]', '[1]', '{}', '{"value":1}']);
  return c.percent(s.odd) ? s.number(c) : String(c.below(c.pick(s.sizes)));
}

// What most items of a document look like: names with a way to make values.
const KINDS = [
  (c) => String(c.below(c.pick([9, 1e5, 1e9]))),
  (c) => string(c),
  (c) => c.pick(['true', 'false', 'null']),
  (c) => c.below(100) + '.' + c.below(100),
  (c, s) => list(c, s, '[', ']', Array.from({length: c.below(4)},
                                            () => scalar(c, s)), 4),
  (c, s) => list(c, s, '{', '}', [member(c, s, 'value', scalar(c, s)),
                                  member(c, s, 'h', scalar(c, s))], 4),
  (c, s) => value(c, s, 4),
];

function makeTemplate(c) {
  const members = [];
  for (let i = c.below(c.pick([1, 3, 7])); i > 0; i--)
    members.push([c.pick(NAMES.slice(1)), c.pick(KINDS)]);
  members.splice(c.below(members.length + 1), 0, ['value', null]);
  return members;
}

function item(c, s, template) {
  if (c.percent(s.wrong)) return value(c, s, 3);
  let members = template;
  if (c.percent(s.change)) {
    members = members.filter(([name]) => name === 'value' || c.percent(70));
    if (c.percent(30)) {
      const more = c.pick(template);
      if (!s.single || more[0] !== 'value') members = [...members, more];
    }
    if (c.percent(30)) members = [...members].reverse();
  }
  while (c.percent(s.doubled))
    members = [...members, ['value', c.pick([null, null, c.pick(KINDS)])]];
  return list(c, s, '{', '}', members.map(([name, make]) =>
      member(c, s, name, make ? make(c, s) : wanted(c, s))), 3);
}

function items(c, s, template) {
  if (c.percent(s.wrong)) return value(c, s, 2);
  const count = c.below(c.pick([2, 4, 12, 61]));
  return list(c, s, '[', ']',
              Array.from({length: count}, () => item(c, s, template)), 2);
}

function document(c, s, template) {
  const members = [];
  const names = s.single ? NAMES.filter((name) => name !== 'items') : NAMES;
  for (let i = c.pick([0, 0, 1, 3]); i > 0; i--)
    members.push(member(c, s, c.pick(names), value(c, s, 2)));
  for (let i = s.single ? 1 : c.pick([1, 1, 1, 1, 1, 1, 1, 2, 3]); i > 0; i--)
    members.splice(c.below(members.length + 1), 0,
                   member(c, s, 'items', items(c, s, template)));
  if (c.percent(s.wrong)) members.pop();
  return gap(c, s) + list(c, s, '{', '}', members, 1) + gap(c, s) +
         (s.line ? s.line : '');
}

// --- Hostile ones.

// About as deep as is allowed, in an item or before it.
function deep(c) {
  const open = [], close = [];
  for (let i = 50 + c.below(25); i > 0; i--) {
    const object = c.percent(50);
    open.push(object ? '{"a":' : '[');
    close.push(object ? '}' : ']');
  }
  const nested = open.join('') + '1' + close.reverse().join('');
  return c.percent(50) ? `{"items":[{"value":1},{"value":1,"x":${nested}}]}`
                       : `{"x":${nested},"items":[{"value":1}]}`;
}

const TOKENS = ['{', '}', '[', ']', ',', ':', '"value"', '"items"', '1', 'null',
                '"x"', '{"value":1}', '{"value":1},', ' ', '\n'];

function soup(c) {
  let text = c.percent(70) ? '{"items":[{"value":1},' : '';
  for (let i = c.below(12); i > 0; i--) text += c.pick(TOKENS);
  return text + (c.percent(70) ? ']}' : '');
}

const HOT = [...Buffer.from('{}[],:"\\-+.eE0129 \n\r\t\0/u'), 0x1f, 0x7f, 0x80,
             0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xa0, 0xef, 0xbb, 0xf0, 0xf4, 0xff];

// Break some bytes, or move some.
function mutate(c, bytes) {
  for (let i = c.pick([1, 1, 1, 2, 4]); i > 0 && bytes.length > 0; i--) {
    const at = c.below(bytes.length);
    const n = 1 + c.below(c.pick([1, 4, 40]));
    const before = bytes.subarray(0, at), from = bytes.subarray(at);
    switch (c.below(7)) {
      case 0: bytes = Buffer.from(bytes); bytes[at] ^= 1 << c.below(8); break;
      case 1: bytes = Buffer.from(bytes); bytes[at] = c.pick(HOT); break;
      case 2: bytes = Buffer.concat([before, Buffer.from([c.pick(HOT)]), from]);
        break;
      case 3: bytes = Buffer.concat([before, from.subarray(n)]); break;
      case 4: bytes = Buffer.concat([before, from.subarray(0, n), from]); break;
      case 5: bytes = before; break;
      default: {
        const other = c.below(bytes.length);
        bytes = Buffer.concat([before, bytes.subarray(other, other + n),
                               from.subarray(n)]);
      }
    }
  }
  return bytes;
}

const ROW = 8;  // documents of one form

/** The bytes of document `number` of those that `seed` begins. Of all forms
 * `share` percent are tame, as one who reads `numbers` likes them. */
function make(seed, number, share = 0, numbers = 'double') {
  const c = new Chance(seed, number);
  const row = Math.floor(number / ROW);
  const form = new Chance(~seed, row);
  const style = makeStyle(form), template = makeTemplate(form);
  if (share > 0 && form.percent(share))
    return Buffer.from(document(c, tame(form, style, numbers), template));
  const kind = c.below(100);
  if (kind < 2) return Buffer.from(deep(c));
  if (kind < 6) return Buffer.from(soup(c));
  const bytes = Buffer.from(document(c, style, template));
  return kind < 35 ? mutate(c, bytes) : bytes;
}

module.exports = {Chance, EDGES, integer, make, mutate, number};
