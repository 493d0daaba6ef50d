<?php
// SPDX-License-Identifier: LGPL-2.1-or-later
// A web client of PHP: `php client.php curl|stream PLAN`, a process for each session. A stream is one request each.
[, $kind, $path] = $argv;
$plan = json_decode(file_get_contents($path), true);
foreach ($plan['sessions'] as $one) {
    if (pcntl_fork()) continue;
    usleep((int) (1e6 * $one['at']));
    $web = $kind == 'curl' ? curl_init() : null;
    foreach ($one['steps'] as [$pause, $method, $url, $head, $size]) {
        if ($pause > 0) usleep((int) (1e6 * $pause));
        $lines = array_map(fn($key) => "$key: {$head[$key]}", array_keys($head));
        if ($kind == 'stream') {
            if ($size) $lines[] = 'Content-Type: application/json';
            @file_get_contents($plan['base'] . $url, false, stream_context_create([
                'http' => ['method' => $method, 'header' => $lines, 'content' => str_repeat('y', $size),
                           'timeout' => 30, 'ignore_errors' => true, 'follow_location' => 0],
                'ssl' => ['verify_peer' => false, 'verify_peer_name' => false]]));
            continue;
        }
        curl_setopt_array($web, [
            CURLOPT_URL => $plan['base'] . $url, CURLOPT_CUSTOMREQUEST => $method, CURLOPT_HTTPHEADER => $lines,
            CURLOPT_RETURNTRANSFER => true, CURLOPT_SSL_VERIFYPEER => false, CURLOPT_SSL_VERIFYHOST => 0,
            CURLOPT_TIMEOUT => 30, CURLOPT_NOBODY => $method == 'HEAD',
            CURLOPT_HTTP_VERSION => $one['h2'] ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1,
            CURLOPT_SSLVERSION => $one['old'] ? CURL_SSLVERSION_MAX_TLSv1_2 : CURL_SSLVERSION_DEFAULT]);
        if ($size) curl_setopt($web, CURLOPT_POSTFIELDS, str_repeat('y', $size));
        curl_exec($web);
    }
    exit(0);
}
while (pcntl_wait($status) > 0);
