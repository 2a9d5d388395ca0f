/* replay_reader: see replay_reader.h. */
#include "replay/replay_reader.h"

#include <stdlib.h>
#include <string.h>

#include "replay/frame.h"

static bool hand_over(int fd, const struct corpus_item *item)
{
    struct replay_item out;
    memset(&out, 0, sizeof out);
    out.state = item->state;
    out.body_len = item->body_len;
    memcpy(out.source, item->source, sizeof out.source);
    memcpy(out.why, item->why, sizeof out.why);
    return frame_write(fd, &out, sizeof out, item->body, item->body_len);
}

int replay_reader_run(int fd, struct corpus *corpus, uint64_t skip)
{
    struct corpus_item item;
    bool told = true;
    do {
        corpus_next(corpus, &item);
        bool final = item.state == CORPUS_END || item.state == CORPUS_FAILED;
        if (final || skip == 0)
            told = hand_over(fd, &item);
        else
            skip--;
        free(item.body);
        if (final)
            break;
    } while (told);
    return EXIT_SUCCESS;
}
