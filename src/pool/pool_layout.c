/* pool_layout: see pool_layout.h. */
#include "pool/pool_layout.h"

#include <stddef.h>

#include "conn_pool/conn_table.h"
#include "fastcgi/fcgi_conn.h"
#include "os/share.h"
#include "scoreboard/idle_set.h"
#include "scoreboard/scoreboard.h"

/* Raised when two versions have the same sizes but mean different things. */
#define MEANING 5

uint32_t pool_layout(void)
{
    const size_t sizes[] = {MEANING,
                            scoreboard_layout(),
                            idle_set_layout(),
                            sizeof(struct conn_table),
                            sizeof(struct conn_slot),
                            offsetof(struct conn_slot, account),
                            offsetof(struct conn_slot, note),
                            sizeof(struct readable_since),
                            FD_STORE_BYTES_MAX,
                            sizeof(struct fcgi_parcel),
                            offsetof(struct fcgi_parcel, head),
                            offsetof(struct fcgi_parcel, inbox_len),
                            sizeof(struct head),
                            offsetof(struct head, id),
                            offsetof(struct head, begin)};
    return share_layout(sizes, sizeof sizes / sizeof sizes[0]);
}
