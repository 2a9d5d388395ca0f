/* nginx_file: the settings of nginx, as far as a pool behind it is concerned:
 * blocks, and of each what it says of bodies, connections and parameters. See
 * ngx_http_fastcgi_module, ngx_http_core_module, ngx_http_upstream_module. */
#ifndef TALLYD_CTL_NGINX_FILE_H
#define TALLYD_CTL_NGINX_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NGINX_BLOCKS 512
#define NGINX_TEXT 128
#define NGINX_UNSET (-1)

struct nginx_block {
    int parent;              /* index; the file itself is 0, its parent -1 */
    char title[NGINX_TEXT];  /* "location /", "upstream tallyd", "" */
    char pass[NGINX_TEXT];   /* fastcgi_pass; "": none */
    char server[NGINX_TEXT]; /* the first one of an upstream */
    int64_t max_body;        /* client_max_body_size; 0: none */
    int keep_conn;           /* fastcgi_keep_conn */
    bool keepalive;          /* of an upstream: more than 0 */
    bool has_params, has_queued_at; /* fastcgi_param, and QUEUED_AT of them */
};

struct nginx_file {
    struct nginx_block blocks[NGINX_BLOCKS];
    int count;
};

/* Read the file, and those that it includes: a relative path is one beside
 * `path`, or below /etc/nginx. False: `why` has the file, and the line. */
bool nginx_file_read(struct nginx_file *f, const char *path, char *why,
                     size_t why_size);

/* What holds in a block: its own value, else that of the nearest one around it.
 * fastcgi_param is inherited as a whole, by blocks that have none. */
int64_t nginx_file_max_body(const struct nginx_file *f, int block);
bool nginx_file_keep_conn(const struct nginx_file *f, int block);
bool nginx_file_has_queued_at(const struct nginx_file *f, int block);

/* The upstream of this name; NULL: there is none. */
const struct nginx_block *nginx_file_upstream(const struct nginx_file *f,
                                              const char *name);

#endif
