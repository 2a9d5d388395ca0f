// A downstream that speaks HTTP/2: node h2_peer.js HOST [CERT KEY]
// Prints its port, then each request it has read whole as a line of JSON. A
// request whose X-Request-ID begins with "cut" it reads and then ends the
// connection; one with "bye" it answers, and says that it leaves; one with
// "goaway" it refuses, as a server that is being stopped (RFC 9113, 6.8, 8.7).
'use strict';
const fs = require('fs');
const http2 = require('http2');

const [host, cert, key] = process.argv.slice(2);
const server = cert
  ? http2.createSecureServer({ cert: fs.readFileSync(cert),
                               key: fs.readFileSync(key), allowHTTP1: false })
  : http2.createServer();
let sessions = 0;

server.on('session', (session) => {
  session.number = ++sessions;
  session.on('error', () => {});
});

server.on('stream', (stream, headers) => {
  const parts = [];
  const id = String(headers['x-request-id'] || '');
  stream.on('error', () => {});
  if (id.startsWith('goaway')) {
    stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    return;
  }
  stream.on('data', (part) => parts.push(part));
  stream.on('end', () => {
    process.stdout.write(JSON.stringify({
      id, connection: stream.session.number, method: headers[':method'],
      path: headers[':path'], scheme: headers[':scheme'],
      type: headers['content-type'],
      body: Buffer.concat(parts).toString() }) + '\n');
    if (id.startsWith('cut')) {
      stream.session.destroy();
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end('{}');
    if (id.startsWith('bye')) stream.session.close();
  });
});

server.listen(0, host, () => {
  process.stdout.write(JSON.stringify({ port: server.address().port }) + '\n');
});
process.on('SIGTERM', () => process.exit(0));
