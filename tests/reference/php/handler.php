<?php
// The same work under php-fpm; PHP keeps no connection between requests.
// Environment: DOWNSTREAM, a URL; empty: answer {"sum":N} and post nothing.

function answer(int $status, string $body): void
{
    http_response_code($status);
    header('Content-Type: application/json');
    header('Content-Length: ' . strlen($body));
    echo $body;
}

function post(string $url, string $body): bool
{
    $curl = curl_init($url);
    curl_setopt_array($curl, [
        CURLOPT_POST => true,
        CURLOPT_POSTFIELDS => $body,
        CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'Expect:'],
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 10,
    ]);
    $ok = curl_exec($curl) !== false;
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    return $ok && $status >= 200 && $status < 300;
}

$order = json_decode(file_get_contents('php://input'), true);
if (!is_array($order) || !is_array($order['items'] ?? null)) {
    answer(400, '{"error":"bad request"}');
    return;
}
$sum = 0;
foreach ($order['items'] as $item) {
    $sum += $item['value'] * 2;
}
$result = json_encode(['sum' => $sum]);
$downstream = getenv('DOWNSTREAM');
if ($downstream === false || $downstream === '') {
    answer(200, $result);
} elseif (post($downstream, $result)) {
    answer(200, '{"ok":true}');
} else {
    answer(502, '{"error":"downstream"}');
}
