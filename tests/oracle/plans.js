// plans: settings made by chance, and bodies that fit them more or less. The
// same for the same number on every machine.
'use strict';

const {Chance, number, integer} = require('./documents.js');

// Names, as a body and a path may write them.
const NAMES = ['a', 'b', 'c', 'price', 'any name', 'x/y', '~t', '\u00e9',
               '\ud83d\ude00', 'true', '', "it's", 'q"q'];
const WORDS = ['x', 'y', 'paid', '', 'A', '\u00e9', '\uffff', '\ud83d\ude00',
               "it's", 'a"b', '1', '12'];
// So long that no window has all of it, or that it goes by in pieces.
const LONG_WORDS = ['x'.repeat(700), 'paid'.repeat(200), '1'.repeat(450),
                    '\u00e9'.repeat(3000), 'a"b'.repeat(2000)];
const STRINGS_OF_NUMBERS = ['1', '-7', '199.00', '', ' 1', '0x10', '1e3', '01',
                            '.5', '9223372036854775808', 'Infinity', '-0'];
const plain = /^[A-Za-z_\u0080-\ud7ff]+$/;
const isWord = (name) => /^(true|false|null)$/i.test(name);

// --- Settings.

function quoted(c, text) {
  const json = JSON.stringify(text);
  if (c.percent(50)) return json;
  return `'${json.slice(1, -1).replace(/\\"/g, '"').replace(/'/g, "\\'")}'`;
}

function segment(c, name) {
  return plain.test(name) && c.percent(70) ? `.${name}`
                                            : `[${quoted(c, name)}]`;
}

function written(c, root, names) {
  const short = names.length > 0 &&
                names.every((name) => plain.test(name) && !isWord(name));
  if (short && c.percent(40)) return names.join('.');
  return root + names.map((name) => segment(c, name)).join('');
}

class Plan {
  constructor(c) {
    this.c = c;
    this.double = c.percent(50);
    this.lined = c.percent(15);  // format = ndjson
    this.paths = [];
    const count = 1 + c.below(4);
    for (let i = 0; i < count; i++) this.paths.push(this.names(c.below(3)));
    this.steps = this.names(c.below(3));
    if (c.percent(35)) {
      this.steps.splice(c.below(this.steps.length + 1), 0, null);
      this.steps.push(c.pick(NAMES));
    }
    this.copies = c.percent(40) && !this.lined ? [this.names(1 + c.below(2))] : [];
    this.results = 1 + c.below(3);
    this.lines = this.write();
  }

  names(count) {
    return Array.from({length: count}, () => this.c.pick(NAMES));
  }

  path() { return written(this.c, '@', this.c.pick(this.paths)); }

  side() {
    const {c} = this;
    switch (c.below(6)) {
      case 0: return c.pick(['true', 'false', 'null']);
      case 1: return quoted(c, c.pick(WORDS));
      case 2: return c.pick(['0', '-0', '1', '5', '12', '0.5', '1e2',
                             '9007199254740993', '9223372036854775808']);
      default: return this.path();
    }
  }

  condition(depth) {
    const {c} = this;
    if (depth > 0 && c.percent(45))
      return `${this.operand(depth)} ${c.pick(['&&', '||'])} ` +
             `${this.operand(depth)}`;
    if (c.percent(25)) return (c.percent(40) ? '!' : '') + this.path();
    return `${this.side()}${c.pick(['', ' '])}` +
           `${c.pick(['==', '!=', '<', '<=', '>', '>='])} ${this.side()}`;
  }

  operand(depth) {
    const inner = this.condition(depth - 1);
    return this.c.percent(50) ? inner
        : `${this.c.percent(40) ? '!' : ''}(${inner})`;
  }

  expression(depth) {
    const {c} = this;
    if (depth > 0 && c.percent(60)) {
      const sign = c.pick(this.double ? ['+', '-', '*', '/'] : ['+', '-', '*']);
      const text = `${this.expression(depth - 1)} ${sign} ` +
                   `${this.expression(depth - 1)}`;
      return c.percent(30) ? `(${text})` : text;
    }
    if (c.percent(15)) return `-${this.expression(0)}`.replace(/^--/, '- -');
    if (c.percent(25))
      return c.pick(this.double ? ['2', '0.5', '1e3', '0', '0.1']
                                : ['2', '7', '0', '9223372036854775807']);
    return this.path();
  }

  result() {
    const {c} = this;
    if (c.percent(20)) return c.percent(70) ? 'count()'
        : `count(${this.expression(1)})`;
    const call = c.pick(this.double ? ['sum', 'min', 'max', 'mean']
                                    : ['sum', 'min', 'max']);
    return `${call}(${this.expression(3)})`;
  }

  list() {
    const {c, steps} = this;
    if (!steps.includes(null)) return written(c, '$', steps);
    return '$' + steps.map((name) => name === null ? '[*]' : segment(c, name))
        .join('');
  }

  write() {
    const {c} = this;
    const lines = [this.lined ? 'format = ndjson' : `array = ${this.list()}`];
    const mode = () => c.pick(['refuse', 'zero', 'skip', 'skip']);
    if (c.percent(60)) lines.push(`where = ${this.condition(2)}`);
    lines.push(`numbers = ${this.double ? 'double' : 'int64'}`,
               `strings = ${c.pick(['refuse', 'number'])}`,
               `missing = ${mode()}`, `null = ${mode()}`);
    this.copies.forEach((names, i) => lines.push(
        `copy.k${i} = ${written(c, '$', names)}`));
    for (let i = 0; i < this.results; i++)
      lines.push(`result.r${i} = ${this.result()}`);
    return lines;
  }

  get settings() {
    const settings = {where: '', members: []};
    for (const line of this.lines) {
      const [, key, value] = line.match(/^(\S+) = (.*)$/s);
      const [kind, name] = key.split('.');
      if (name) settings.members.push({kind, name, text: value});
      else settings[key] = value;
    }
    return settings;
  }
}

// --- Bodies.

function escaped(c, text) {
  const json = JSON.stringify(text);
  if (c.percent(70)) return json;
  return `"${[...Array(text.length).keys()].map((i) =>
      c.percent(40) || json.length > text.length + 2
        ? `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}` : text[i])
      .join('')}"`;
}

const gap = (c) => c.percent(85) ? '' : c.pick([' ', '\n', '\t', '  ']);

class Body {
  constructor(c, plan) {
    this.c = c;
    this.plan = plan;
    this.odd = c.pick([0, 3, 10, 30]);  // percent of what does not fit
  }

  scalar() {
    const {c, plan} = this;
    if (c.percent(this.odd)) {
      switch (c.below(7)) {
        case 0: return c.pick(['true', 'false']);
        case 1: return 'null';
        case 2: return escaped(c, c.pick(STRINGS_OF_NUMBERS));
        case 3: return escaped(c, c.pick(WORDS));
        case 4: return '"\\ud800"';
        case 5: return this.any(2);
        default: return number(c);
      }
    }
    if (c.percent(1)) return escaped(c, c.pick(LONG_WORDS));
    if (c.percent(15)) return escaped(c, c.pick(WORDS));
    if (c.percent(15)) return String(c.below(6));
    return plan.double ? number(c) : integer(c);
  }

  any(depth) {
    const {c} = this;
    const count = depth > 0 ? c.below(4) : 0;
    const values = Array.from({length: count}, () =>
      c.percent(50) ? this.any(depth - 1) : number(c));
    if (c.percent(50)) return `[${values.join(`,${gap(c)}`)}]`;
    return `{${values.map((value) =>
        `${escaped(c, c.pick(NAMES))}:${value}`).join(',')}}`;
  }

  // An object that has what is at the end of each path: [[names, make], ...].
  object(wanted) {
    const {c} = this;
    const own = wanted.filter(([names]) => names.length === 0);
    if (own.length > 0 && (wanted.length === own.length || c.percent(50)))
      return c.pick(own)[1]();
    const members = [];
    for (const name of new Set(wanted.filter(([names]) => names.length > 0)
        .map(([names]) => names[0]))) {
      const below = wanted.filter(([names]) => names[0] === name)
          .map(([names, make]) => [names.slice(1), make]);
      if (c.percent(this.odd)) continue;
      const times = c.percent(4) ? 2 : 1;
      for (let i = 0; i < times; i++)
        members.push(`${escaped(c, name)}${gap(c)}:${gap(c)}` +
                     (c.percent(this.odd / 3) ? this.scalar()
                                              : this.object(below)));
    }
    if (c.percent(30))
      members.push(`${escaped(c, 'z' + c.below(3))}:${this.any(2)}`);
    if (c.percent(1))
      members.push(`${escaped(c, c.pick(LONG_WORDS))}${gap(c)}:` +
                   escaped(c, c.pick(LONG_WORDS)));
    members.sort(() => c.below(3) - 1);
    return `{${gap(c)}${members.join(`,${gap(c)}`)}}`;
  }

  item() {
    return this.object(this.plan.paths.map((names) =>
      [names, () => this.scalar()]));
  }

  // What the steps lead to.
  list(steps) {
    const {c} = this;
    const until = steps.indexOf(null);
    const names = until < 0 ? steps : steps.slice(0, until);
    const elements = () => {
      if (c.percent(this.odd / 4)) return c.pick(['null', '{}', '5', '"x"']);
      const count = c.below(until < 0 ? 6 : 4);
      return `[${Array.from({length: count}, () => gap(c) +
          (until < 0 ? this.item() : this.list(steps.slice(until + 1))))
          .join(',')}]`;
    };
    return [names, elements];
  }

  line() {
    const {c} = this;
    if (c.percent(5)) return c.pick(['', ' ', '\t\r']);
    return this.item().replace(/\n/g, ' ') + c.pick(['', '', '\r', ' ']);
  }

  text() {
    const {c, plan} = this;
    if (plan.lined)
      return Array.from({length: c.below(6)}, () => this.line()).join('\n') +
             c.pick(['', '\n', '\n\n']);
    const wanted = [this.list(plan.steps)];
    for (const names of plan.copies)
      wanted.push([names, () => this.scalar()]);
    return this.document(wanted);
  }

  document(wanted) {
    const [[names, elements]] = wanted;
    return names.length === 0 ? elements() : this.object(wanted);
  }
}

// list() gives a pair where it stands below a [*]: what it leads to is an
// object.
const listBelow = Body.prototype.list;
Body.prototype.list = function(steps) {
  const [names, elements] = listBelow.call(this, steps);
  return steps === this.plan.steps ? [names, elements]
      : names.length === 0 ? elements() : this.object([[names, elements]]);
};

// Now and then a byte is changed, lost or doubled.
function spoil(c, bytes) {
  if (bytes.length === 0 || !c.percent(4)) return bytes;
  const at = c.below(bytes.length);
  switch (c.below(3)) {
    case 0: return Buffer.concat([bytes.subarray(0, at),
                                  bytes.subarray(at + 1)]);
    case 1: return bytes.subarray(0, at);
    default: {
      const copy = Buffer.from(bytes);
      copy[at] = c.pick([0x22, 0x5c, 0x2c, 0x7b, 0x5d, 0x30, 0xff, 0x00]);
      return copy;
    }
  }
}

function makePlan(seed, number) { return new Plan(new Chance(seed, number)); }

function makeBody(seed, number, plan) {
  const c = new Chance(seed ^ 0x2545f491, number);
  return spoil(c, Buffer.from(new Body(c, plan).text(), 'utf8'));
}

module.exports = {makeBody, makePlan};
