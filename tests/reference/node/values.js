// values: JSON with the text that each value has in the body, and what an
// endpoint's queries need of it. Bodies are latin1 strings, a character a byte.
'use strict';

const INT64_MIN = -(2n ** 63n), INT64_MAX = 2n ** 63n - 1n;
const KEEP_MAX = 65536, COPY_MAX = 1024;
const ABSENT = {kind: 'absent'};

class Fault extends Error {
  constructor(outcome, place) {
    super(`${outcome} ${place}`);
    this.outcome = outcome;
    this.place = place;
  }
}

// --- Reading.

// The characters of what stands between quotes.
function characters(raw) {
  return JSON.parse(`"${Buffer.from(raw, 'latin1').toString('utf8')}"`);
}

function numberOf(text) {
  const exact = /^-?\d+$/.test(text) ? BigInt(text) : null;
  const fits = exact !== null && exact >= INT64_MIN && exact <= INT64_MAX;
  return {exact: fits ? exact : null, approx: Number(text)};
}

const SCALAR = /-?[0-9][0-9.eE+-]*|true|false|null/y;
const STRING = /"((?:[^"\\]|\\.)*)"/sy;

// A reader of texts that JSON.parse has taken.
class Reader {
  constructor(text, maxDepth) {
    this.text = text;
    this.at = 0;
    this.maxDepth = maxDepth;
  }

  blanks() { while (' \t\n\r'.includes(this.text[this.at] ?? 'x')) this.at++; }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    this.at = pattern.lastIndex;
    return found;
  }

  value(depth) {
    this.blanks();
    const first = this.text[this.at], start = this.at;
    if (first === '"') return {kind: 'string', text: this.match(STRING)[1]};
    if (first !== '[' && first !== '{') {
      const [text] = this.match(SCALAR);
      return /[tfn]/.test(text[0]) ? {kind: text, text}
                                   : {kind: 'number', text, ...numberOf(text)};
    }
    if (depth === this.maxDepth) throw new Fault('malformed_json', '');
    const made = first === '[' ? {kind: 'list', items: []}
                               : {kind: 'object', members: new Map()};
    this.at++;
    for (this.blanks(); !']}'.includes(this.text[this.at]); this.blanks()) {
      if (this.text[this.at] === ',') { this.at++; this.blanks(); }
      if (made.items) {
        made.items.push(this.value(depth + 1));
        continue;
      }
      const name = characters(this.match(STRING)[1]);
      this.blanks();
      this.at++;
      made.members.set(name, this.value(depth + 1));
    }
    this.at++;
    made.text = this.text.slice(start, this.at);
    return made;
  }
}

function read(bytes, maxDepth) {
  try {
    JSON.parse(new TextDecoder('utf-8', {fatal: true, ignoreBOM: true})
        .decode(bytes));
  } catch {
    throw new Fault('malformed_json', '');
  }
  return new Reader(bytes.toString('latin1'), maxDepth).value(0);
}

// Lines that are not blank, as a list.
function readLines(bytes, maxDepth) {
  const items = [];
  for (let at = 0; at <= bytes.length;) {
    const feed = bytes.indexOf(0x0a, at);
    const line = bytes.subarray(at, feed < 0 ? bytes.length : feed);
    if (/[^ \t\r]/.test(line.toString('latin1')))
      items.push(read(line, maxDepth));
    at += line.length + 1;
  }
  return {kind: 'list', items};
}

const member = (value, name) => value.members?.get(name) ?? ABSENT;
const follow = (value, names) => names.reduce(member, value);

// --- Comparison: RFC 9535, 2.3.5.2.2.

function orderOfNumbers(a, b) {
  if (a.exact !== null && b.exact !== null)
    return a.exact < b.exact ? -1 : a.exact > b.exact ? 1 : 0;
  return a.approx < b.approx ? -1 : a.approx > b.approx ? 1 : 0;
}

// By code point; half of a pair is its own number.
function orderOfStrings(a, b) {
  const x = [...characters(a.text)].map((c) => c.codePointAt(0));
  const y = [...characters(b.text)].map((c) => c.codePointAt(0));
  for (let i = 0; i < x.length && i < y.length; i++)
    if (x[i] !== y[i]) return x[i] < y[i] ? -1 : 1;
  return x.length - y.length;
}

function equal(a, b) {
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'number': return orderOfNumbers(a, b) === 0;
    case 'string': return characters(a.text) === characters(b.text);
    case 'list': return a.items.length === b.items.length &&
                        a.items.every((item, i) => equal(item, b.items[i]));
    case 'object': return a.members.size === b.members.size &&
                          [...a.members].every(([name, value]) =>
                              equal(value, member(b, name)));
    default: return true;
  }
}

function less(a, b) {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'number') return orderOfNumbers(a, b) < 0;
  return a.kind === 'string' && orderOfStrings(a, b) < 0;
}

function compare(a, operator, b) {
  switch (operator) {
    case '==': return equal(a, b);
    case '!=': return !equal(a, b);
    case '<': return less(a, b);
    case '>': return less(b, a);
    case '<=': return less(a, b) || equal(a, b);
    default: return less(b, a) || equal(a, b);
  }
}

// --- Places.

const token = (name) => `/${String(name).replace(/~/g, '~0').replace(/\//g, '~1')}`;
const pointer = (tokens) => tokens.map(token).join('');

module.exports = {ABSENT, COPY_MAX, Fault, INT64_MAX, INT64_MIN, KEEP_MAX,
                  compare, follow, member, numberOf, characters, pointer, read,
                  readLines};
