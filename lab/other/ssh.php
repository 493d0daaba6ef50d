<?php
// SPDX-License-Identifier: LGPL-2.1-or-later
// A client of PHP's ssh2 (libssh2): ssh.php ADDRESS USER ACTION WORD...
// It tries each word over one connection: a password, or key:PATH (PATH.pub beside it). ACTION: none, exec, shell,
// transfer; with `refuse` it ends after the key exchange, as a client that does not know the host key.

[, $address, $user, $action] = $argv;
$script = ["uname -a", "id", "ls /etc | head -20", "uptime"];
$session = ssh2_connect($address, 22) or exit(1);
if ($action == "refuse") {
    ssh2_fingerprint($session);
    ssh2_disconnect($session);
    exit(2);
}
$in = false;
foreach (array_slice($argv, 4) as $word) {
    if (str_starts_with($word, "key:")) {
        $path = substr($word, 4);
        $in = @ssh2_auth_pubkey_file($session, $user, "$path.pub", $path);
    } else {
        $in = @ssh2_auth_password($session, $user, $word);
    }
    if ($in) {
        break;
    }
}
if ($in && $action == "exec") {
    foreach (array_slice($script, 0, 2) as $line) {
        $stream = ssh2_exec($session, $line);
        stream_set_blocking($stream, true);
        stream_get_contents($stream);
        fclose($stream);
    }
} elseif ($in && $action == "shell") {
    $stream = ssh2_shell($session, "xterm");
    foreach ([...$script, "exit"] as $line) {
        usleep(300000);
        fwrite($stream, "$line\n");
    }
    stream_set_blocking($stream, true);
    stream_set_timeout($stream, 10);
    stream_get_contents($stream);
} elseif ($in && $action == "transfer") {
    file_put_contents("/root/php-file", str_repeat("x", 60000));
    ssh2_scp_send($session, "/root/php-file", "file");
    ssh2_scp_recv($session, "/etc/services", "/root/php-back");
}
ssh2_disconnect($session);
