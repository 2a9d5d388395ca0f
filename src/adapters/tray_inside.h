/* tray_inside: what tray.c and tray_make.c know of a tray. */
#ifndef TALLYD_ADAPTERS_TRAY_INSIDE_H
#define TALLYD_ADAPTERS_TRAY_INSIDE_H

#include "adapters/account.h"
#include "adapters/alarm.h"
#include "adapters/lookout.h"
#include "adapters/mailbox.h"
#include "adapters/places.h"

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
