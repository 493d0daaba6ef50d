// SPDX-License-Identifier: LGPL-2.1-or-later
// Web clients of Node.js: `node client.js KIND PLAN`; KIND is agent (http, https), http2 or fetch (undici).
'use strict';
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
process.removeAllListeners('warning');
const fs = require('fs');
const [kind, plan] = process.argv.slice(2);
const {base, sessions} = JSON.parse(fs.readFileSync(plan));
const wait = seconds => new Promise(done => setTimeout(done, 1000 * seconds));
const bytes = step => (step[4] ? Buffer.alloc(step[4], 'y') : undefined);
const safe = base.startsWith('https');

async function agent(one) {
  const web = require(safe ? 'https' : 'http');
  const kept = new web.Agent({keepAlive: true, maxSockets: 1, maxVersion: one.old ? 'TLSv1.2' : 'TLSv1.3'});
  for (const step of one.steps) {
    if (step[0] > 0) await wait(step[0]);
    await new Promise((done, failed) => {
      const body = bytes(step);
      const headers = {...step[3], ...(body ? {'content-length': body.length} : {})};
      const request = web.request(base + step[2], {method: step[1], agent: kept, headers, timeout: 30000}, reply => {
        reply.resume();
        reply.on('end', done);
      });
      request.on('error', failed);
      request.end(body);
    });
  }
  kept.destroy();
}

async function http2(one) {
  const web = require('http2').connect(base, {maxVersion: one.old ? 'TLSv1.2' : 'TLSv1.3'});
  let broken;
  web.on('error', error => { broken = error; });
  let under = [];
  for (const step of one.steps) {
    if (step[0] >= 0) {
      await Promise.all(under);
      under = [];
    }
    if (step[0] > 0) await wait(step[0]);
    if (broken) break;
    under.push(new Promise(done => {
      const head = Object.fromEntries(Object.entries(step[3]).map(([key, value]) => [key.toLowerCase(), value]));
      const request = web.request({...head, ':method': step[1], ':path': step[2]});
      request.on('error', done);
      request.on('end', done);
      request.on('close', done);
      request.resume();
      request.end(bytes(step));
    }));
  }
  await Promise.all(under);
  web.close();
}

async function undici(one) {
  for (const step of one.steps) {
    if (step[0] > 0) await wait(step[0]);
    const reply = await fetch(base + step[2], {
      method: step[1], headers: step[3], body: bytes(step), redirect: 'manual', signal: AbortSignal.timeout(30000),
    });
    await reply.arrayBuffer();
  }
}

const play = {agent, http2, fetch: undici}[kind];
process.on('uncaughtException', error => console.error(error.message));
Promise.all(sessions.map(async one => {
  await wait(one.at);
  await play(one).catch(error => console.error(error.message));
})).then(() => process.exit(0));
