<?php
// SPDX-License-Identifier: LGPL-2.1-or-later
// A client of phpseclib, version 2 or 3: phpseclib.php VERSION ADDRESS USER ACTION WORD...
// It tries each word over one connection: a password, or key:PATH. ACTION: none, exec, shell, transfer; with `refuse`
// it ends after the key exchange, as a client that does not know the host key.

[, $version, $address, $user, $action] = $argv;
$space = $version == "3" ? "phpseclib3" : "phpseclib";
require_once "/usr/share/php/$space/autoload.php";
$script = ["uname -a", "id", "ls /etc | head -20", "uptime"];
$kind = $action == "transfer" ? "SFTP" : "SSH2";
$class = "\\$space\\Net\\$kind";
$ssh = new $class(str_contains($address, ":") ? "[$address]" : $address, 22, 30);
if ($action == "refuse") {
    $ssh->getServerPublicHostKey();
    $ssh->disconnect();
    exit(2);
}
$in = false;
foreach (array_slice($argv, 5) as $word) {
    if (str_starts_with($word, "key:")) {
        $text = file_get_contents(substr($word, 4));
        if ($version == "3") {
            $secret = \phpseclib3\Crypt\PublicKeyLoader::load($text);
        } else {
            $secret = new \phpseclib\Crypt\RSA();
            $secret->loadKey($text);
        }
    } else {
        $secret = $word;
    }
    try {
        $in = @$ssh->login($user, $secret);
    } catch (\Exception $e) {
        exit(1);
    }
    if ($in) {
        break;
    }
}
if ($in && $action == "exec") {
    foreach (array_slice($script, 0, 2) as $line) {
        $ssh->exec($line);
    }
} elseif ($in && $action == "shell") {
    $ssh->setTimeout(2);
    foreach ([...$script, "exit"] as $line) {
        $ssh->read('/[$#] $/', $class::READ_REGEX);
        $ssh->write("$line\n");
    }
} elseif ($in && $action == "transfer") {
    $ssh->put("/tmp/phpseclib-file", str_repeat("x", 60000));
    $ssh->get("/etc/services", "/root/phpseclib-back");
}
$ssh->disconnect();
