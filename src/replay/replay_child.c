/* replay_child: see replay_child.h. */
#include "replay/replay_child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "downstream/http_request.h"
#include "replay/frame.h"

/* --- The reader. --- */

int replay_child_read(int fd, struct corpus *corpus, uint64_t skip)
{
    struct corpus_item item;
    bool told = true;
    do {
        corpus_next(corpus, &item);
        bool final = item.state == CORPUS_END || item.state == CORPUS_FAILED;
        if (final || skip == 0)
            told =
                frame_write(fd, &item, sizeof item, item.body, item.body_len);
        else
            skip--;
        free(item.body);
        if (final)
            break;
    } while (told);
    return EXIT_SUCCESS;
}

/* --- A caller. --- */

static bool obey(int fd, struct call *call, const struct replay_order *order)
{
    char lines[REPLAY_ID_MAX + 64];
    struct call_answer answer;
    struct replay_result result = {.end = CALL_ANSWERED};
    char *body = frame_read_new(fd, order->body_len);
    if (body == NULL)
        return false;
    snprintf(lines, sizeof lines, HTTP_REQUEST_JSON "X-Request-ID: %s\r\n",
             order->id);
    const struct call_request request = {
        .body = body, .body_len = order->body_len, .lines = lines};
    call_post(call, &request, &answer);
    free(body);
    result.end = answer.end;
    result.status = answer.status;
    result.reply_len = answer.body_len;
    result.took = answer.took;
    memcpy(result.detail, answer.detail, sizeof result.detail);
    return frame_write(fd, &result, sizeof result, answer.body,
                       answer.body_len);
}

int replay_child_call(int fd, const struct call_settings *settings)
{
    char why[256];
    struct replay_order order;
    struct call *call = call_new(settings, why, sizeof why);
    if (call == NULL)
        return EXIT_FAILURE;
    while (frame_read(fd, &order, sizeof order) && obey(fd, call, &order))
        continue;
    call_free(&call);
    return EXIT_SUCCESS;
}
