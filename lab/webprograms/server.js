// SPDX-License-Identifier: LGPL-2.1-or-later
// Web servers of Node.js: `node server.js KIND PLACES PEM`; KIND is http1 or http2, the rest as for server.py.
'use strict';
const fs = require('fs');
const [kind, places, pem] = process.argv.slice(2);
const text = fs.readFileSync(pem);
const wait = ms => new Promise(done => setTimeout(done, ms));

function settings(flavour) {
  const made = {key: text, cert: text, allowHTTP1: true};
  if (['old', 'cbc', 'chacha'].includes(flavour)) made.maxVersion = 'TLSv1.2';
  if (flavour === 'cbc') made.ciphers = 'ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0';
  if (flavour === 'chacha') made.ciphers = 'ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305';
  if (flavour === 'retry') made.ecdhCurve = 'P-384';
  return made;
}

async function answer(request, response) {
  const given = new URL('http://x' + request.url).searchParams;
  const number = key => Number(given.get(key) || 0);
  request.resume();
  await new Promise(done => request.on('end', done));
  const status = number('s') || 200, pieces = Math.max(1, number('k'));
  if (pieces > 1) {
    response.writeHead(200, {'content-type': 'text/event-stream'});
    for (let i = 0; i < pieces; i++) {
      await wait(number('t') * (0.5 + Math.random()));
      response.write(Buffer.alloc(Math.floor(number('n') / pieces), 'x'));
    }
    response.end();
    return;
  }
  await wait(number('t'));
  const head = {'content-type': 'application/json'};
  if (number('h')) head['x-trace-id'] = 't'.repeat(number('h'));
  if (status === 302) head.location = '/b/?n=9';
  const body = status === 204 || status === 304 ? Buffer.alloc(0) : Buffer.alloc(number('n'), 'x');
  if (status !== 204 && status !== 304) head['content-length'] = body.length;
  response.writeHead(status, head);
  response.end(request.method === 'HEAD' ? undefined : body);
}

const calm = (request, response) => answer(request, response).catch(() => {});
for (const [host, port, flavour] of JSON.parse(places)) {
  let server;
  if (flavour === 'plain') server = require('http').createServer(calm);
  else if (kind === 'http2') server = require('http2').createSecureServer(settings(flavour), calm);
  else server = require('https').createServer(settings(flavour), calm);
  server.on('error', error => console.error(error.message));
  server.on('sessionError', () => {});
  server.keepAliveTimeout = 60000;
  server.listen(port, host);
}
process.on('uncaughtException', error => console.error(error.message));
