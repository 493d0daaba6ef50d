// SPDX-License-Identifier: LGPL-2.1-or-later
// A client and a server of npm's ssh2.
//   ssh.js client ADDRESS USER ACTION WORD...
// tries each word over one connection: a password, kbd:PASSWORD for keyboard-interactive, key:PATH. ACTION: none, exec,
// shell, transfer, forward, refuse (it does not know the host key), tty (a person's terminal, which asks for passwords).
//   ssh.js serve USER PASSWORD AUTHORIZED_KEYS METHODS HOST_KEY...
// listens on port 22 and logs as OpenSSH does. METHODS is some of password,keyboard.
const child = require("child_process");
const fs = require("fs");
const net = require("net");
const { Client, Server, utils } = require("ssh2");

const SCRIPT = ["uname -a", "id", "ls /etc | head -20", "uptime"];
const TRIES = 6; // refused passwords until the server closes

function typed(question) {
  return new Promise((done) => {
    let line = "";
    process.stdout.write(question);
    process.stdin.setRawMode(true).resume();
    process.stdin.on("data", function read(keys) {
      for (const key of keys.toString()) {
        if (key === "\x03") process.exit(130);
        if (key === "\r") {
          process.stdin.removeListener("data", read);
          process.stdout.write("\r\n");
          return done(line);
        }
        line = key === "\x7f" ? line.slice(0, -1) : line + key;
      }
    });
  });
}

function act(ssh, action) {
  if (action === "exec") {
    const next = (left) => {
      if (!left.length) return ssh.end();
      ssh.exec(left[0], (error, channel) => {
        if (error) return ssh.end();
        channel.on("close", () => next(left.slice(1))).resume();
      });
    };
    next(SCRIPT.slice(0, 2));
  } else if (action === "shell") {
    ssh.shell((error, channel) => {
      if (error) return ssh.end();
      channel.on("close", () => ssh.end()).resume();
      [...SCRIPT, "exit"].forEach((line, place) => setTimeout(() => channel.write(line + "\n"), 300 * (place + 1)));
    });
  } else if (action === "tty") {
    ssh.shell({ term: "xterm" }, (error, channel) => {
      if (error) return ssh.end();
      channel.on("close", () => { ssh.end(); process.exit(0); });
      process.stdin.pipe(channel);
      channel.pipe(process.stdout);
    });
  } else if (action === "transfer") {
    ssh.sftp((error, sftp) => {
      if (error) return ssh.end();
      fs.writeFileSync("/root/node-file", "x".repeat(60000));
      sftp.fastPut("/root/node-file", "/tmp/node-file", () =>
        sftp.fastGet("/tmp/node-file", "/root/node-back", () => ssh.end()));
    });
  } else if (action === "forward") {
    const next = (left) => {
      if (!left) return ssh.end();
      ssh.forwardOut("127.0.0.1", 8000, "127.0.0.1", 80, (error, channel) => {
        if (!error) channel.on("error", () => {}).end("GET / HTTP/1.0\r\n\r\n");
        setTimeout(next, 1000, left - 1);
      });
    };
    next(3);
  } else {
    ssh.end();
  }
}

function client(address, username, action, ...words) {
  const ssh = new Client();
  const left = [...words];
  const one = {
    host: address, username, readyTimeout: 60000,
    authHandler: (methods, partial, next) => {
      if (methods === null) return next("none");
      if (action === "tty") {
        if (left.length >= 3) return next(false);
        left.push("");
        typed("Password: ").then((password) => next({ type: "password", username, password }));
        return; // what is returned would be taken for an answer
      }
      const word = left.shift();
      if (word === undefined) return next(false);
      if (word.startsWith("key:")) return next({ type: "publickey", username, key: fs.readFileSync(word.slice(4)) });
      if (!word.startsWith("kbd:")) return next({ type: "password", username, password: word });
      const prompt = (name, text, language, prompts, answer) => answer(prompts.map(() => word.slice(4)));
      return next({ type: "keyboard-interactive", username, prompt });
    },
  };
  if (action === "refuse") one.hostVerifier = () => false;
  ssh.on("ready", () => act(ssh, action)).on("error", () => process.exit(1)).on("close", () => process.exit(0));
  ssh.connect(one);
}

// Runs a command or, with null, a shell on the channel, with a terminal (script of util-linux) or without.
function run(channel, line, terminal) {
  const words = line === null ? ["/bin/sh", "-i"] : ["/bin/sh", "-c", line];
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const env = { ...process.env, PS1: "$ ", TERM: "xterm" };
  const program = terminal
    ? child.spawn("script", ["-qfec", `PS1='$ ' exec ${quoted}`, "/dev/null"], { env })
    : child.spawn(words[0], words.slice(1), { env });
  channel.pipe(program.stdin);
  program.stdin.on("error", () => {});
  program.stdout.on("data", (data) => channel.write(data));
  program.stderr.on("data", (data) => channel.stderr.write(data));
  program.on("close", (code) => { channel.exit(code ?? 1); channel.end(); });
}

// Serves files by number of handle: what copiers need.
function files(sftp) {
  const { OPEN_MODE, STATUS_CODE } = utils.sftp;
  const open = new Map();
  let count = 0;
  const handle = (what) => {
    const name = Buffer.alloc(4);
    name.writeUInt32BE(count);
    open.set(count++, what);
    return name;
  };
  const of = (name) => open.get(name.readUInt32BE(0));
  const fails = (id, error) => sftp.status(id, error.code === "ENOENT" ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE);
  const tell = (id, work) => { try { work(); } catch (error) { fails(id, error); } };
  const attributes = (path) => {
    const { mode, uid, gid, size, atimeMs, mtimeMs } = fs.statSync(path);
    return { mode, uid, gid, size, atime: Math.floor(atimeMs / 1000), mtime: Math.floor(mtimeMs / 1000) };
  };
  sftp.on("REALPATH", (id, path) => tell(id, () => {
    const filename = path === "." ? "/tmp" : path;
    sftp.name(id, [{ filename, longname: filename, attrs: {} }]);
  }));
  for (const name of ["STAT", "LSTAT"]) sftp.on(name, (id, path) => tell(id, () => sftp.attrs(id, attributes(path))));
  sftp.on("OPEN", (id, path, flags) => tell(id, () => {
    const mode = flags & OPEN_MODE.WRITE ? "w" : "r";
    sftp.handle(id, handle({ file: fs.openSync(path, mode), path }));
  }));
  sftp.on("FSTAT", (id, name) => tell(id, () => sftp.attrs(id, attributes(of(name).path))));
  sftp.on("READ", (id, name, offset, length) => tell(id, () => {
    const data = Buffer.alloc(Math.min(length, 32768));
    const got = fs.readSync(of(name).file, data, 0, data.length, offset);
    if (got) sftp.data(id, data.subarray(0, got));
    else sftp.status(id, STATUS_CODE.EOF);
  }));
  sftp.on("WRITE", (id, name, offset, data) => tell(id, () => {
    fs.writeSync(of(name).file, data, 0, data.length, offset);
    sftp.status(id, STATUS_CODE.OK);
  }));
  sftp.on("OPENDIR", (id, path) => tell(id, () => sftp.handle(id, handle({ path, names: fs.readdirSync(path) }))));
  sftp.on("READDIR", (id, name) => tell(id, () => {
    const { path, names } = of(name);
    const some = names.splice(0, 50).map((filename) => {
      const attrs = attributes(fs.existsSync(`${path}/${filename}`) ? `${path}/${filename}` : path);
      return { filename, longname: `-rw-r--r-- 1 root root ${attrs.size} Jan 1 2024 ${filename}`, attrs };
    });
    if (some.length) sftp.name(id, some);
    else sftp.status(id, STATUS_CODE.EOF);
  }));
  sftp.on("CLOSE", (id, name) => tell(id, () => {
    const { file } = of(name);
    if (file !== undefined) fs.closeSync(file);
    sftp.status(id, STATUS_CODE.OK);
  }));
  for (const name of ["SETSTAT", "FSETSTAT", "REMOVE", "MKDIR"]) sftp.on(name, (id) => sftp.status(id, STATUS_CODE.OK));
}

function serve(user, password, keys, methods, ...hosts) {
  const offered = ["publickey"];
  if (methods.includes("password")) offered.push("password");
  if (methods.includes("keyboard")) offered.push("keyboard-interactive");
  const log = (text) => fs.writeSync(1, text + "\n");
  const server = new Server({ hostKeys: hosts.map((path) => fs.readFileSync(path)) }, (ssh, info) => {
    const peer = `${info.ip.replace("::ffff:", "")} port ${info.port}`;
    let tries = 0;
    log(`Connection from ${peer} on server`);
    const judged = (context, good, how) => {
      log(`${good ? "Accepted" : "Failed"} ${how} for ${user} from ${peer} ssh2`);
      if (good) return context.accept();
      context.reject(offered);
      if (how !== "publickey" && ++tries === TRIES) ssh.end();
    };
    ssh.on("error", () => {});
    ssh.on("authentication", (context) => {
      if (context.method === "password" && offered.includes("password")) {
        judged(context, context.username === user && context.password === password, "password");
      } else if (context.method === "publickey") {
        const known = fs.readFileSync(keys).toString().split("\n").filter(Boolean).map((line) => utils.parseKey(line));
        const key = known.find((one) => one.getPublicSSH().equals(context.key.data));
        if (!key) return judged(context, false, "publickey");
        if (!context.signature) return context.accept();
        judged(context, key.verify(context.blob, context.signature, context.hashAlgo) === true, "publickey");
      } else if (context.method === "keyboard-interactive" && offered.includes("keyboard-interactive")) {
        context.prompt([{ prompt: "Password: ", echo: false }], (answers) =>
          judged(context, answers.length === 1 && answers[0] === password, "keyboard-interactive"));
      } else {
        context.reject(offered);
      }
    });
    ssh.on("ready", () => {
      ssh.on("session", (accept) => {
        const session = accept();
        let terminal = false;
        session.on("pty", (yes) => { terminal = true; if (yes) yes(); });
        session.on("env", (yes) => yes && yes());
        session.on("window-change", (yes) => yes && yes());
        session.on("shell", (yes) => run(yes(), null, terminal));
        session.on("exec", (yes, no, what) => run(yes(), what.command, terminal));
        session.on("sftp", (yes) => files(yes()));
      });
      ssh.on("tcpip", (accept, reject, where) => {
        const other = net.connect(where.destPort, where.destIP);
        other.on("error", reject).on("connect", () => {
          const channel = accept();
          channel.pipe(other).pipe(channel);
          other.removeListener("error", reject).on("error", () => {});
        });
      });
    });
  });
  server.listen(22, "::");
}

const [role, ...rest] = process.argv.slice(2);
({ client, serve })[role](...rest);
