// judge: what Node says of a body, in the words of the contract.
//
// JSON.parse decides what is JSON and what each value is. Around it, by rule:
//
//   utf8    the bytes must be UTF-8 (TextDecoder, fatal; a byte order mark is
//           no white space), for JSON.parse takes text and not bytes
//   depth   at most MAX_DEPTH arrays and objects within each other
//   shape   an object whose own `items` is an array of objects whose own
//           `value` is a number. The handler in JavaScript would coerce ("5",
//           null, true) and answer NaN or throw for others: that is no sum.
//
// What is malformed comes with its offset where the message of the error has
// one (Node 20 and later; no standard asks for it), a wrong shape with its JSON
// pointer.
'use strict';

const MAX_DEPTH = 64;
const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

// Of text that JSON.parse has taken.
function depthOf(text) {
  let depth = 0, most = 0, inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) {
      inString = true;
    } else if (c === 0x7b || c === 0x5b) {
      most = Math.max(most, ++depth);
    } else if (c === 0x7d || c === 0x5d) {
      depth--;
    }
  }
  return most;
}

const TELLS_OFFSET = Number(process.versions.node.split('.')[0]) >= 20;

// In bytes; null: it is not told.
function offsetOf(error, text) {
  const at = /at position (\d+)/.exec(error.message);
  if (!TELLS_OFFSET) return null;
  if (error.message === 'Unexpected end of JSON input')
    return Buffer.byteLength(text);
  return at && Buffer.byteLength(text.slice(0, Number(at[1])));
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
function judge(bytes) {
  let text, root;
  try {
    text = decoder.decode(bytes);
  } catch {
    return {kind: 'utf8'};
  }
  try {
    root = JSON.parse(text);
  } catch (error) {
    return {kind: 'malformed', offset: offsetOf(error, text)};
  }
  if (depthOf(text) > MAX_DEPTH) return {kind: 'depth'};
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

module.exports = {judge};
