// The service people would write for speed: libh2o, simdjson On-Demand, a thread
// for each processor. On-Demand does not check what it skips.
//
// usage: service PORT [DOWNSTREAM_URL [HOST]], the URL being http://IPv4:PORT/PATH
// Without a downstream it answers {"sum":N}, with one {"ok":true}. The request id
// is passed on.
#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <h2o.h>
#include <h2o/http1client.h>
#include <simdjson.h>

namespace {

constexpr uint64_t TIMEOUT_MS = 10000;
constexpr size_t KEPT = 1024; // connections to the downstream

struct {
    bool given;
    std::string host, path;
    sockaddr_in address;
} downstream;

h2o_globalconf_t config;

// What a thread has of its own.
struct Worker {
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    h2o_socketpool_t pool;
};
thread_local Worker *worker;

void answer(h2o_req_t *req, int status, const char *reason,
            const std::string &body)
{
    req->res.status = status;
    req->res.reason = reason;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json"));
    h2o_send_inline(req, body.data(), body.size());
}

bool add_up(h2o_iovec_t body, int64_t *sum)
{
    thread_local simdjson::ondemand::parser parser;
    thread_local std::vector<char> padded;
    if (padded.size() < body.len + simdjson::SIMDJSON_PADDING)
        padded.resize(2 * (body.len + simdjson::SIMDJSON_PADDING));
    memcpy(padded.data(), body.base, body.len);
    try {
        auto document = parser.iterate(padded.data(), body.len, padded.size());
        *sum = 0;
        for (auto item : document["items"].get_array())
            *sum += item["value"].get_int64().value() * 2;
    } catch (const simdjson::simdjson_error &) {
        return false;
    }
    return true;
}

// --- The post. It lives in the request's memory, and ends with it. ---

struct Post {
    h2o_req_t *req;
    h2o_http1client_t *client; // NULL: over
    int status;
    size_t len;
    h2o_iovec_t text;
    char bytes[512];
};

void give_up(void *memory)
{
    auto *post = static_cast<Post *>(memory);
    if (post->client != nullptr)
        h2o_http1client_cancel(post->client);
}

void finish(Post *post, bool ok)
{
    post->client = nullptr;
    if (ok && post->status >= 200 && post->status < 300)
        answer(post->req, 200, "OK", "{\"ok\":true}");
    else
        answer(post->req, 502, "Bad Gateway", "{\"error\":\"downstream\"}");
}

Post *post_of(h2o_http1client_t *client)
{
    return static_cast<Post *>(client->data);
}

int on_body(h2o_http1client_t *client, const char *error)
{
    if (error == nullptr)
        h2o_buffer_consume(&client->sock->input, client->sock->input->size);
    else
        finish(post_of(client), error == h2o_http1client_error_is_eos);
    return 0;
}

h2o_http1client_body_cb on_head(h2o_http1client_t *client, const char *error,
                                int, int status, h2o_iovec_t, h2o_header_t *,
                                size_t, int)
{
    Post *post = post_of(client);
    post->status = status;
    if (error == nullptr)
        return on_body;
    finish(post, error == h2o_http1client_error_is_eos);
    return nullptr;
}

h2o_http1client_head_cb on_connect(h2o_http1client_t *client, const char *error,
                                   h2o_iovec_t **bufs, size_t *count,
                                   int *method_is_head)
{
    Post *post = post_of(client);
    if (error != nullptr) {
        finish(post, false);
        return nullptr;
    }
    post->text = h2o_iovec_init(post->bytes, post->len);
    *bufs = &post->text;
    *count = 1;
    *method_is_head = 0;
    return on_head;
}

void start_post(h2o_req_t *req, const std::string &body)
{
    auto *post = static_cast<Post *>(
        h2o_mem_alloc_shared(&req->pool, sizeof(Post), give_up));
    *post = Post();
    post->req = req;
    std::string id;
    ssize_t at = h2o_find_header_by_str(&req->headers,
                                        H2O_STRLIT("x-request-id"), -1);
    if (at >= 0)
        id.assign(req->headers.entries[at].value.base,
                  req->headers.entries[at].value.len);
    int len = snprintf(post->bytes, sizeof post->bytes,
                       "POST %s HTTP/1.1\r\nHost: %s\r\n"
                       "Content-Type: application/json\r\n%s%s%s"
                       "Content-Length: %zu\r\n\r\n%s",
                       downstream.path.c_str(), downstream.host.c_str(),
                       id.empty() ? "" : "X-Request-ID: ", id.c_str(),
                       id.empty() ? "" : "\r\n", body.size(), body.c_str());
    if (len < 0 || static_cast<size_t>(len) >= sizeof post->bytes) {
        answer(req, 400, "Bad Request", "{\"error\":\"id\"}");
        return;
    }
    post->len = static_cast<size_t>(len);
    h2o_http1client_connect_with_pool(&post->client, post,
                                      &worker->context.proxy.client_ctx,
                                      &worker->pool, on_connect);
}

int handle(h2o_handler_t *, h2o_req_t *req)
{
    int64_t sum;
    if (!h2o_memis(req->method.base, req->method.len, H2O_STRLIT("POST"))) {
        answer(req, 405, "Method Not Allowed", "{\"error\":\"POST only\"}");
    } else if (!add_up(req->entity, &sum)) {
        answer(req, 400, "Bad Request", "{\"error\":\"json\"}");
    } else {
        std::string result = "{\"sum\":" + std::to_string(sum) + "}";
        if (downstream.given)
            start_post(req, result);
        else
            answer(req, 200, "OK", result);
    }
    return 0;
}

// --- Starting. ---

void on_accept(h2o_socket_t *listener, const char *error)
{
    h2o_socket_t *link;
    if (error == nullptr &&
        (link = h2o_evloop_socket_accept(listener)) != nullptr)
        h2o_accept(&worker->accept, link);
}

void work(int listener)
{
    worker = new Worker();
    h2o_evloop_t *loop = h2o_evloop_create();
    h2o_context_init(&worker->context, loop, &config);
    worker->accept.ctx = &worker->context;
    worker->accept.hosts = config.hosts;
    if (downstream.given) {
        h2o_socketpool_init_by_address(
            &worker->pool, reinterpret_cast<sockaddr *>(&downstream.address),
            sizeof downstream.address, 0, KEPT);
        h2o_socketpool_set_timeout(&worker->pool, loop, TIMEOUT_MS);
    }
    h2o_socket_t *one = h2o_evloop_socket_create(loop, dup(listener),
                                                 H2O_SOCKET_FLAG_DONT_READ);
    h2o_socket_read_start(one, on_accept);
    while (h2o_evloop_run(loop, INT32_MAX) == 0)
        ;
}

void set_downstream(const char *url)
{
    char host[64], path[128];
    unsigned port;
    if (sscanf(url, "http://%63[^:]:%u%127s", host, &port, path) != 3 ||
        inet_pton(AF_INET, host, &downstream.address.sin_addr) != 1)
        h2o_fatal("DOWNSTREAM_URL is not http://IPv4:PORT/PATH");
    downstream.given = true;
    downstream.address.sin_family = AF_INET;
    downstream.address.sin_port = htons(static_cast<uint16_t>(port));
    downstream.host = std::string(host) + ":" + std::to_string(port);
    downstream.path = path;
}

int listen_on(const char *host, const char *port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(atoi(port)));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
        bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0 ||
        listen(fd, 1024) != 0)
        h2o_fatal("it cannot listen there");
    return fd;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 2)
        h2o_fatal("usage: service PORT [DOWNSTREAM_URL [HOST]]");
    if (argc > 2 && *argv[2] != '\0')
        set_downstream(argv[2]);
    int listener = listen_on(argc > 3 ? argv[3] : "127.0.0.1", argv[1]);
    h2o_config_init(&config);
    config.proxy.io_timeout = TIMEOUT_MS;
    h2o_hostconf_t *host = h2o_config_register_host(
        &config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_create_handler(h2o_config_register_path(host, "/", 0),
                       sizeof(h2o_handler_t))->on_req = handle;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); i++)
        threads.emplace_back(work, listener);
    for (auto &one : threads)
        one.join();
}
