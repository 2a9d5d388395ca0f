// judge: what Node says of a body, in the words of the contract.
//
// JSON.parse decides what is JSON and what each value is. Around it, by rule:
//
//   utf8    the bytes must be UTF-8 (TextDecoder, fatal; a byte order mark is
//           no white space), for JSON.parse takes text and not bytes
//   depth   at most so many arrays and objects within each other
//   shape   an object whose own `items` is an array of objects whose own
//           `value` is a number. The handler in JavaScript would coerce ("5",
//           null, true) and answer NaN or throw for others: that is no sum.
//
// What is malformed comes with its offset where the message of the error has
// one (Node 20 and later; no standard asks for it), a wrong shape with its JSON
// pointer.
'use strict';

const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

// How deep `text` nests, and where it first nests deeper than `maxDepth`.
function depthOf(text, maxDepth = Infinity) {
  let depth = 0, most = 0, inString = false, tooDeepAt = Infinity;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) {
      inString = true;
    } else if (c === 0x7b || c === 0x5b) {
      most = Math.max(most, ++depth);
      if (depth === maxDepth + 1) tooDeepAt = Math.min(tooDeepAt, i);
    } else if (c === 0x7d || c === 0x5d) {
      depth--;
    }
  }
  return {most, tooDeepAt};
}

const TELLS_OFFSET = Number(process.versions.node.split('.')[0]) >= 20;

// In characters; null: it is not told.
function placeOf(error, text) {
  const at = /at position (\d+)/.exec(error.message);
  if (!TELLS_OFFSET) return null;
  if (error.message === 'Unexpected end of JSON input') return text.length;
  return at && Number(at[1]);
}

const isObject = (v) =>
    typeof v === 'object' && v !== null && !Array.isArray(v);

function wrongPointer(root) {
  if (!isObject(root)) return '';
  if (!Object.hasOwn(root, 'items') || !Array.isArray(root.items))
    return '/items';
  for (let i = 0; i < root.items.length; i++) {
    const item = root.items[i];
    if (!isObject(item)) return `/items/${i}`;
    if (!Object.hasOwn(item, 'value') || typeof item.value !== 'number')
      return `/items/${i}/value`;
  }
  return null;
}

/** {kind: 'utf8' | 'malformed' | 'depth' | 'shape' | 'sum', ...} */
function judge(bytes, maxDepth) {
  let text, root, at = Infinity;
  try {
    text = decoder.decode(bytes);
  } catch {
    return {kind: 'utf8'};
  }
  try {
    root = JSON.parse(text);
  } catch (error) {
    at = placeOf(error, text);
    if (at === null) return {kind: 'malformed', offset: null};
  }
  const {tooDeepAt} = depthOf(text.slice(0, at), maxDepth);
  const offset = Buffer.byteLength(text.slice(0, Math.min(at, tooDeepAt)));
  if (tooDeepAt < Infinity) return {kind: 'depth', offset};
  if (at < Infinity) return {kind: 'malformed', offset};
  const pointer = wrongPointer(root);
  if (pointer !== null) return {kind: 'shape', pointer};
  let sum = 0, exact = true, fraction = -1;
  for (let i = 0; i < root.items.length; i++) {
    const value = root.items[i].value;
    sum = sum + value * 2;
    if (fraction < 0 && !Number.isInteger(value)) fraction = i;
    exact &&= Number.isSafeInteger(value) && Number.isSafeInteger(sum);
  }
  return {kind: 'sum', sum, exact, fraction};
}

module.exports = {depthOf, judge};
