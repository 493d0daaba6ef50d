// SPDX-License-Identifier: LGPL-2.1-or-later
// A client and a server of Microsoft's SSH library for dev tunnels (npm).
//   sshtunnels.js client ADDRESS USER ACTION WORD...
// opens a connection for each password until one is accepted. ACTION: none, exec, refuse (it does not know the host key).
//   sshtunnels.js serve USER PASSWORD AUTHORIZED_KEYS HOST_KEY
// listens on port 22, takes passwords alone, runs commands and shells, and logs as OpenSSH does. The host key is PEM.
const child = require("child_process");
const fs = require("fs");
const net = require("net");
const ssh = require("@microsoft/dev-tunnels-ssh");
const keys = require("@microsoft/dev-tunnels-ssh-keys");

const SCRIPT = ["uname -a", "id"];

function connected(host) {
  return new Promise((done, failed) => {
    const socket = net.connect(22, host, () => done(socket.setNoDelay(true)));
    socket.on("error", failed);
  });
}

async function run(session, line) {
  const channel = await session.openChannel();
  const closed = new Promise((done) => channel.onClosed(done));
  channel.onDataReceived((data) => channel.adjustWindow(data.length));
  const request = new ssh.CommandRequestMessage();
  request.command = line;
  request.wantReply = true;
  if (await channel.request(request)) await closed;
  else await channel.close();
}

async function client(address, username, action, ...words) {
  for (const password of words) {
    const session = new ssh.SshClientSession(new ssh.SshSessionConfiguration());
    session.onAuthenticating((event) => {
      event.authenticationPromise = Promise.resolve(action === "refuse" ? null : {});
    });
    try {
      await session.connect(new ssh.NodeStream(await connected(address)));
      if (!(await session.authenticateServer())) break;
      if (await session.authenticateClient({ username, password })) {
        if (action === "exec") for (const line of SCRIPT) await run(session, line);
        await session.close(ssh.SshDisconnectReason.byApplication, "done");
        break;
      }
      await session.close(ssh.SshDisconnectReason.noMoreAuthMethodsAvailable, "no");
    } catch (error) {
      console.error(error.message);
    }
    session.dispose();
  }
  process.exit(0);
}

// Runs a command or, with null, a shell on the channel; a shell has a terminal.
function start(channel, line) {
  const env = { ...process.env, PS1: "$ ", TERM: "xterm" };
  const program = line === null
    ? child.spawn("script", ["-qfec", "PS1='$ ' exec /bin/sh -i", "/dev/null"], { env })
    : child.spawn("/bin/sh", ["-c", line], { env });
  let sending = Promise.resolve();
  const send = (data) => { sending = sending.then(() => channel.send(data)).catch(() => {}); };
  channel.onDataReceived((data) => { program.stdin.write(data); channel.adjustWindow(data.length); });
  channel.onEof(() => program.stdin.end());
  channel.onClosed(() => program.kill());
  program.stdin.on("error", () => {});
  program.stdout.on("data", send);
  program.stderr.on("data", send);
  program.on("close", (code) => { sending.then(() => channel.close(code ?? 1)).catch(() => {}); });
}

async function serve(user, password, authorized, host) {
  const key = await keys.importKeyFile(host);
  const log = (text) => fs.writeSync(1, text + "\n");
  const types = ssh.SshAuthenticationType;
  net.createServer((socket) => {
    const peer = `${socket.remoteAddress.replace("::ffff:", "")} port ${socket.remotePort}`;
    log(`Connection from ${peer} on server`);
    socket.setNoDelay(true).on("error", () => {});
    const config = new ssh.SshSessionConfiguration();
    config.authenticationMethods.splice(0, config.authenticationMethods.length, "password");
    const session = new ssh.SshServerSession(config);
    session.credentials = { publicKeys: [key] };
    session.onAuthenticating((event) => {
      if (event.authenticationType !== types.clientPassword) {
        event.authenticationPromise = Promise.resolve(null);
        return;
      }
      const good = event.username === user && event.password === password;
      log(`${good ? "Accepted" : "Failed"} password for ${user} from ${peer} ssh2`);
      event.authenticationPromise = Promise.resolve(good ? {} : null);
    });
    session.onChannelOpening((event) => {
      event.channel.onRequest((request) => {
        request.isAuthorized = ["pty-req", "env", "shell", "exec"].includes(request.requestType);
        if (request.requestType === "shell") setImmediate(start, event.channel, null);
        if (request.requestType === "exec") {
          const command = request.request.convertTo(new ssh.CommandRequestMessage()).command;
          setImmediate(start, event.channel, command);
        }
      });
    });
    session.connect(new ssh.NodeStream(socket)).catch(() => {});
  }).listen(22, "::");
  process.on("unhandledRejection", () => {});
}

const [role, ...rest] = process.argv.slice(2);
({ client, serve })[role](...rest);
