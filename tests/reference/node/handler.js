// The handler tallyd replaces, as it would stand in production: one process,
// a keep-alive agent, bodies gathered and parsed, the sum posted downstream.
//
// usage: node handler.js PORT [DOWNSTREAM_URL [HOST [MODULE]]]
// Without a downstream it answers {"sum":N}, with one {"ok":true}. The request id
// is passed on. MODULE exports other handlers, {path: (document) => result}.
'use strict';
const http = require('http');

const port = Number(process.argv[2]);
const downstream = process.argv[3] ? new URL(process.argv[3]) : null;
const host = process.argv[4] ?? '127.0.0.1';
const others = process.argv[5] ? require(process.argv[5]) : {};
const DOWNSTREAM_TIMEOUT = 10000;  // ms
const agent = new http.Agent({keepAlive: true, maxSockets: 256});

function answer(res, status, body) {
  res.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  res.end(body);
}

function add({items}) {
  let sum = 0;
  for (const item of items) sum = sum + item.value * 2;
  return {sum};
}

function post(result, id, done) {
  const body = JSON.stringify(result);
  const req = http.request(downstream, {
    method: 'POST',
    agent,
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      ...(id === undefined ? {} : {'X-Request-ID': id}),
    },
  }, (res) => {
    res.resume();
    res.on('end', () => done(res.statusCode >= 200 && res.statusCode < 300));
  });
  req.on('error', () => done(false));
  req.end(body);
}

// One document, or a list of those of the lines.
function read(type, text) {
  return type !== 'application/x-ndjson' ? JSON.parse(text)
      : text.split('\n').filter((line) => line.trim() !== '')
          .map((line) => JSON.parse(line));
}

function handle(res, {url, headers}, text) {
  let result;
  try {
    result = (others[url] ?? add)(read(headers['content-type'], text));
  } catch (error) {
    answer(res, 400, '{"error":"bad request"}');
    return;
  }
  if (downstream === null) {
    answer(res, 200, JSON.stringify(result));
    return;
  }
  post(result, headers['x-request-id'], (ok) => answer(res, ok ? 200 : 502,
    ok ? '{"ok":true}' : '{"error":"downstream"}'));
}

const server = http.createServer((req, res) => {
  if (req.method !== 'POST') {
    answer(res, 405, '{"error":"POST only"}');
    return;
  }
  const chunks = [];
  req.on('data', (chunk) => chunks.push(chunk));
  req.on('end', () => handle(res, req,
    Buffer.concat(chunks).toString('utf8')));
});
server.keepAliveTimeout = 75000;
server.listen(port, host, 1024);
