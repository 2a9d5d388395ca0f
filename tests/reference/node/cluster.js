// handler.js in as many processes as there are processors, which take turns at
// the connections: node cluster.js ARGUMENT..., those of handler.js.
'use strict';
const cluster = require('cluster');
const os = require('os');
const path = require('path');

cluster.setupPrimary({
  exec: path.join(__dirname, 'handler.js'),
  args: process.argv.slice(2),
});
for (let i = 0; i < os.cpus().length; i++) cluster.fork();
