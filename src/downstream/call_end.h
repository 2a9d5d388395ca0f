/* call_end: how a call ended (downstream/call.h). */
#ifndef TALLYD_DOWNSTREAM_CALL_END_H
#define TALLYD_DOWNSTREAM_CALL_END_H

enum call_end {
    CALL_ANSWERED,
    CALL_TIMED_OUT,
    CALL_UNREACHED, /* no connection; nothing was sent */
    CALL_BROKEN,    /* no complete HTTP answer */
    CALL_TOO_LONG,  /* the answer is over max_reply */
};

#endif
