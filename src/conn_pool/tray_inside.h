/* tray_inside: what tray.c and tray_make.c know of a tray. */
#ifndef TALLYD_CONN_POOL_TRAY_INSIDE_H
#define TALLYD_CONN_POOL_TRAY_INSIDE_H

#include "conn_pool/account.h"
#include "conn_pool/lookout.h"
#include "conn_pool/mailbox.h"
#include "conn_pool/places.h"
#include "os/alarm.h"

struct tray {
    struct places *table;
    int memory; /* its descriptor */
    int owner;  /* this process */
    struct account_counters counters;
    int set, listener;
    struct alarm clock;
    struct lookout lookout;
    bool looks_out;            /* this process wants to know what waits */
    struct mailbox *mailboxes; /* per place */
    int64_t next_due;          /* of a scan under way, see tray_next_due() */
};

/* What an entry of the epoll set stands for, besides a place. */
#define TAG_KNOCK UINT64_MAX
#define TAG_CLOCK (UINT64_MAX - 1)

#endif
