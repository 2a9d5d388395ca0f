/* The pool people write first: libfcgi, json-c and libcurl in a loop, forked
 * as often as asked. No limits, no deadlines, no supervision: a measure for
 * benchmarks, not an example.
 *
 * usage: libfcgi_pool WORKERS [DOWNSTREAM_URL], with the listening socket as
 * descriptor 0 (spawn-fcgi -n). */
#include <curl/curl.h>
#include <fcgiapp.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t drop(char *bytes, size_t size, size_t n, void *context)
{
    (void)bytes, (void)context;
    return size * n;
}

static CURL *open_downstream(const char *url)
{
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
                     curl_slist_append(NULL, "Content-Type: application/json"));
    return easy;
}

static int post(CURL *easy, const char *body)
{
    long status = 0;
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    if (curl_easy_perform(easy) != CURLE_OK)
        return 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300;
}

static int add_up(struct json_object *root, int64_t *sum)
{
    struct json_object *items, *value;
    if (!json_object_object_get_ex(root, "items", &items) ||
        !json_object_is_type(items, json_type_array))
        return 0;
    *sum = 0;
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        if (!json_object_object_get_ex(json_object_array_get_idx(items, i),
                                       "value", &value))
            return 0;
        *sum += json_object_get_int64(value) * 2;
    }
    return 1;
}

static void serve(FCGX_Request *r, CURL *easy)
{
    const char *text = FCGX_GetParam("CONTENT_LENGTH", r->envp);
    int length = text == NULL ? 0 : atoi(text);
    char *body = malloc((size_t)length + 1), result[64];
    int64_t sum = 0;
    body[FCGX_GetStr(body, length, r->in)] = '\0';
    struct json_object *root = json_tokener_parse(body);
    int ok = add_up(root, &sum);
    snprintf(result, sizeof result, "{\"sum\":%" PRId64 "}", sum);
    if (ok && easy != NULL) {
        ok = post(easy, result);
        strcpy(result, "{\"ok\":true}");
    }
    FCGX_FPrintF(r->out,
                 "Status: %s\r\nContent-Type: application/json\r\n"
                 "Content-Length: %d\r\n\r\n%s",
                 ok ? "200 OK" : "400 Bad Request", (int)strlen(result),
                 result);
    json_object_put(root);
    free(body);
}

static void work(const char *downstream)
{
    FCGX_Request request;
    CURL *easy = *downstream == '\0' ? NULL : open_downstream(downstream);
    FCGX_Init();
    FCGX_InitRequest(&request, 0, 0);
    while (FCGX_Accept_r(&request) == 0) {
        serve(&request, easy);
        FCGX_Finish_r(&request);
    }
}

int main(int argc, char **argv)
{
    int workers = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 0; i < workers; i++) {
        if (fork() == 0) {
            work(argc > 2 ? argv[2] : "");
            return 0;
        }
    }
    while (wait(NULL) > 0)
        ;
    return 0;
}
