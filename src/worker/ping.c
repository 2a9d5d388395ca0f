/* ping: see ping.h. */
#include "worker/ping.h"

#include <string.h>

bool ping_is(const char *ping_path, const char *method, const char *path,
             size_t path_len)
{
    return ping_path[0] != '\0' && method != NULL &&
           (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) &&
           strlen(ping_path) == path_len &&
           memcmp(ping_path, path, path_len) == 0;
}

void ping_print(struct buf *out, bool ready, bool head_only)
{
    const char *body = ready ? "{\"ok\":true}" : "{\"ok\":false}";
    buf_printf(out,
               "Status: %s\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\nCache-Control: no-store\r\n\r\n%s",
               ready ? "200 OK" : "503 Service Unavailable", strlen(body),
               head_only ? "" : body);
}
