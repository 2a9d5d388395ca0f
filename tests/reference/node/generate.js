// generate: an endpoint of tallyd as JavaScript.
//
//   tallyd -T -c FILE | node generate.js ENDPOINT     prints the function
//
// An implementation of its own of what tallyd.conf(5), QUERIES, says, for tests
// to compare with. It takes settings that tallyd has taken, and finds no
// mistakes in them.
'use strict';

const values = require('./values.js');

// --- Settings, as `tallyd -T` prints them.

function settingsOf(text, endpoint) {
  const settings = {members: []};
  let inside = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('[')) inside = line === `[endpoint ${endpoint}]`;
    const split = line.indexOf(' = ');
    if (!inside || split < 0) continue;
    const key = line.slice(0, split), value = line.slice(split + 3);
    const [, kind, name] = key.match(/^(result|copy)\.(.*)$/) ?? [];
    if (kind) settings.members.push({kind, name, text: value});
    else settings[key] = value;
  }
  return settings;
}

// --- Words.

const NAME = '[A-Za-z_\\u{80}-\\u{d7ff}\\u{e000}-\\u{10ffff}]' +
             '[A-Za-z_0-9\\u{80}-\\u{d7ff}\\u{e000}-\\u{10ffff}]*';
const QUOTED = `"(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*'`;
const SEGMENT = `\\s*(?:\\.(${NAME})|\\[\\s*(\\*|${QUOTED})\\s*\\])`;
const NUMBER = '-?[0-9]+(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?';
const WORDS = ['true', 'false', 'null'];
const SHORT = new RegExp(`^${NAME}(?:\\.${NAME})*$`, 'u');

// The characters of a string in either quotes.
function unquote(text) {
  if (text[0] === '"') return JSON.parse(text);
  const inner = text.slice(1, -1).replace(/\\.|"/gs, (part) =>
      part === "\\'" ? "'" : part === '"' ? '\\"' : part);
  return JSON.parse(`"${inner}"`);
}

// Names of a path behind $ or @; a list's elements are null.
function segments(text) {
  return [...text.matchAll(new RegExp(SEGMENT, 'gu'))].map(
      ([, name, quoted]) =>
        name ?? (quoted === '*' ? null : unquote(quoted)));
}

const isShort = (text) => SHORT.test(text) && text.split('.').every(
    (name) => !WORDS.includes(name.toLowerCase()));

function pathOf(text) {
  return /^[$@]/.test(text) ? segments(text.slice(1)) : text.split('.');
}

function stepsOf(text) {
  if (/^\$([.[ \t\r\n]|$)/.test(text)) return segments(text.slice(1));
  return isShort(text) ? text.split('.') : [text];
}

// --- Expressions, to JavaScript.

const WORD = new RegExp(
    `\\s*(?:(?<path>@(?:${SEGMENT})*|${NAME}(?:\\.${NAME})*)|` +
    `(?<string>${QUOTED})|(?<number>${NUMBER.slice(2)})|` +
    '(?<sign>&&|\\|\\||==|!=|<=|>=|[-<>!()+*/]))', 'uy');

class Translator {
  constructor(text, exact) {
    this.words = [];
    this.exact = exact;
    this.paths = [];     // read by arithmetic, in order
    this.seen = [];      // by conditions, each once, in order
    this.compared = [];  // of those with another path
    WORD.lastIndex = 0;
    const end = text.trimEnd().length;
    while (WORD.lastIndex < end) this.words.push(WORD.exec(text).groups);
  }

  next(sign) {
    const found = this.words[0]?.sign === sign;
    if (found) this.words.shift();
    return found;
  }

  // Conditions.
  or() {
    let js = this.and();
    while (this.next('||')) js = `(${js} || ${this.and()})`;
    return js;
  }

  and() {
    let js = this.basic();
    while (this.next('&&')) js = `(${js} && ${this.basic()})`;
    return js;
  }

  basic() {
    if (this.next('!')) return `!${this.basic()}`;
    if (this.next('(')) {
      const js = this.or();
      this.next(')');
      return js;
    }
    const a = this.side();
    const operator = this.words[0]?.sign;
    if (!/^([=!<>]=|[<>])$/.test(operator ?? ''))
      return `(${a.js}.kind !== 'absent')`;
    this.words.shift();
    const b = this.side();
    if (a.path && b.path && JSON.stringify(a.path) !== JSON.stringify(b.path))
      this.compared.push(JSON.stringify(a.path), JSON.stringify(b.path));
    return `compare(${a.js}, '${operator}', ${b.js})`;
  }

  side() {
    const minus = this.next('-') ? '-' : '';
    const {path, string, number} = this.words.shift();
    if (number !== undefined)
      return {js: `number('${minus}${number}')`};
    if (string !== undefined)
      return {js: `string(${JSON.stringify(unquote(string))})`};
    if (WORDS.includes(path)) return {js: `{kind: '${path}'}`};
    const names = pathOf(path), text = JSON.stringify(names);
    if (!this.seen.includes(text)) this.seen.push(text);
    return {js: `follow(item, ${text})`, path: names};
  }

  // The paths whose values are kept, in the order that they are looked at.
  get kept() {
    return this.seen.filter((text) => this.compared.includes(text))
        .map((text) => JSON.parse(text));
  }

  // Arithmetic.
  binary(operand, signs) {
    let js = operand();
    for (;;) {
      const sign = signs.find((s) => this.next(s));
      if (!sign) return js;
      js = this.step(`${js} ${sign} ${operand()}`);
    }
  }

  step(js) { return this.exact ? `fit(${js})` : `(${js})`; }
  sum() { return this.binary(() => this.product(), ['+', '-']); }
  product() { return this.binary(() => this.factor(), ['*', '/']); }

  factor() {
    if (this.next('-')) return this.step(`-${this.factor()}`);
    if (this.next('(')) {
      const js = this.sum();
      this.next(')');
      return js;
    }
    const {path, number} = this.words.shift();
    if (number !== undefined) return this.exact ? `${number}n` : number;
    const names = pathOf(path);
    let index = this.paths.findIndex(
        (known) => JSON.stringify(known) === JSON.stringify(names));
    if (index < 0) index = this.paths.push(names) - 1;
    return `values[${index}]`;
  }
}

// --- The program.

const ADD = {
  sum: 'before + value', mean: 'before + value', count: 'before',
  min: 'first ? value : least(before, value)',
  max: 'first ? value : most(before, value)',
};

const isLines = (settings) => settings.format === 'ndjson';

function resultsOf(settings) {
  const results = settings.members.filter(({kind}) => kind === 'result');
  if (results.length > 0) return results;
  const path = `@[${JSON.stringify(settings.field)}]`;
  return [{name: settings.result, text: `sum(${path} * ${settings.multiply})`}];
}

// The source of a function of the document (see values.js) that gives the text
// of the result, or throws a Fault.
function generate(settings) {
  const exact = settings.numbers === 'int64';
  const where = new Translator(settings.where, exact);
  const condition = settings.where === '' ? 'true' : where.or();
  const argument = new Translator('', exact);
  const results = resultsOf(settings).map(({name, text}) => {
    const [, call, inner] = text.match(/^\s*(\w+)\s*\((.*)\)\s*$/s);
    const one = new Translator(inner, exact);
    one.paths = argument.paths;
    return {name, call, js: inner.trim() === '' ? '0' : one.sum()};
  });
  const copies = settings.members.filter(({kind}) => kind === 'copy')
      .map(({name, text}) => ({name, path: pathOf(text.trim())}));
  const json = (value) => JSON.stringify(value);
  return `(document) => {
  const totals = start(${json(results.map(({call}) => call))});
  eachItem(document, ${json(isLines(settings) ? [] : stepsOf(settings.array))}, (item, place) => {
    checkKept(item, ${json(where.kept)}, place);
    if (!${condition}) return;
    const values = readAll(item, ${json(argument.paths)}, place);
    if (values === null) return;
${results.map(({call, js}, i) => `    add(totals[${i}], () => ${js},
        (before, value, first) => ${ADD[call]});`).join('\n')}
  });
  return print([
    ...copyAll(document, ${json(copies)}),
    ...printTotals(totals, ${json(results.map(({name}) => name))})]);
}`;
}

// --- What the source calls.

function library(settings) {
  const {ABSENT, COPY_MAX, Fault, INT64_MAX, INT64_MIN, KEEP_MAX} = values;
  const exact = settings.numbers === 'int64';
  const least128 = -(2n ** 127n), most128 = 2n ** 127n - 1n;
  const isLeftOut = (value, modes) =>
    modes.includes(settings.missing) && value.kind === 'absent' ||
    modes.includes(settings.null) && value.kind === 'null';
  const wrong = (tokens) => new Fault('wrong_shape', values.pointer(tokens));

  function fit(value) {
    if (value < least128 || value > most128) throw new RangeError();
    return value;
  }

  function eachItem(value, steps, visit, place = [], inner = false) {
    const until = steps.indexOf(null);
    const names = until < 0 ? steps : steps.slice(0, until);
    const list = values.follow(value, names);
    const here = [...place, ...names];
    if (list.kind !== 'list') {
      if (inner && isLeftOut(list, ['zero', 'skip'])) return;
      throw wrong(here);
    }
    list.items.forEach((item, i) => until < 0 ? visit(item, [...here, i])
        : eachItem(item, steps.slice(until + 1), visit, [...here, i], true));
  }

  function checkKept(item, paths, place) {
    for (const path of paths) {
      const value = values.follow(item, path);
      if (['string', 'list', 'object'].includes(value.kind) &&
          value.text.length > KEEP_MAX)
        throw wrong([...place, ...path]);
    }
  }

  function readOne(value, tokens) {
    if (isLeftOut(value, ['zero'])) return exact ? 0n : 0;
    let number = value;
    if (value.kind === 'string' && settings.strings === 'number' &&
        value.text.length <= KEEP_MAX) {
      const text = values.characters(value.text);
      if (!/^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/.test(text) ||
          text.endsWith('\n'))
        throw wrong(tokens);
      number = {kind: 'number', ...values.numberOf(text)};
    }
    if (number.kind !== 'number' || exact && number.exact === null)
      throw wrong(tokens);
    return exact ? number.exact : number.approx;
  }

  function readAll(item, paths, place) {
    const found = paths.map((path) => values.follow(item, path));
    if (found.some((value) => isLeftOut(value, ['skip']))) return null;
    return found.map((value, i) => readOne(value, [...place, ...paths[i]]));
  }

  function start(calls) {
    return calls.map((call) => (
      {call, value: exact ? 0n : 0, count: 0, overflow: false}));
  }

  function add(total, argument, combine) {
    try {
      const value = argument();
      total.value = total.call === 'count' ? total.value
          : combine(total.value, value, total.count === 0);
      if (exact) fit(total.value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      total.overflow = true;
    }
    total.count++;
  }

  function printTotal(total, name) {
    const {call, count} = total;
    if (total.overflow) throw new Fault('out_of_range', name);
    if (call === 'count') return String(count);
    if (call !== 'sum' && count === 0) return 'null';
    const value = call === 'mean' ? total.value / count : total.value;
    if (exact ? value < INT64_MIN || value > INT64_MAX : !Number.isFinite(value))
      throw new Fault('out_of_range', name);
    return exact ? String(value) : JSON.stringify(value);
  }

  function copyOne(value, path) {
    if (value.kind === 'list' || value.kind === 'object') throw wrong(path);
    const text = value.kind === 'string' ? `"${value.text}"` : value.text;
    if (text.length > COPY_MAX) throw wrong(path);
    return text;
  }

  function copyAll(document, copies) {
    const made = [];
    for (const {name, path} of copies) {
      const value = values.follow(document, path);
      if (value.kind === 'absent' && settings.missing === 'refuse')
        throw wrong(path);
      if (value.kind !== 'absent') made.push([name, copyOne(value, path)]);
    }
    return made;
  }

  return {
    ABSENT, fit, eachItem, checkKept, readAll, start, add, copyAll,
    compare: values.compare, follow: values.follow,
    number: (text) => ({kind: 'number', ...values.numberOf(text)}),
    string: (text) => ({kind: 'string',
                        text: Buffer.from(JSON.stringify(text).slice(1, -1))
                            .toString('latin1')}),
    least: (a, b) => exact ? (b < a ? b : a) : Math.min(a, b),
    most: (a, b) => exact ? (b > a ? b : a) : Math.max(a, b),
    printTotals: (totals, names) =>
      totals.map((total, i) => [names[i], printTotal(total, names[i])]),
    print: (members) => Buffer.concat([
      Buffer.from('{'),
      ...members.flatMap(([name, text], i) => [
        Buffer.from(`${i > 0 ? ',' : ''}${JSON.stringify(name)}:`),
        Buffer.from(text, 'latin1')]),
      Buffer.from('}')]),
  };
}

// The function of a body, a Buffer, that gives the result, a Buffer, or throws
// a Fault.
function handlerOf(settings) {
  const tools = library(settings);
  const run = new Function(...Object.keys(tools), `return ${generate(settings)};`)(
      ...Object.values(tools));
  const maxDepth = Number(settings.max_depth ?? 1024);
  const read = isLines(settings) ? values.readLines : values.read;
  return (body) => run(read(body, maxDepth));
}

module.exports = {generate, handlerOf, settingsOf, Fault: values.Fault};

if (require.main === module) {
  const text = require('node:fs').readFileSync(0, 'utf8');
  console.log(generate(settingsOf(text, process.argv[2])));
}
