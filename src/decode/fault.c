/* fault: see fault.h. */
#include "decode/fault.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"

/* Append one reference token (RFC 6901, 3: ~ is ~0 and / is ~1). */
static void add_token(struct buf *out, const char *token)
{
    buf_char(out, '/');
    for (; *token != '\0'; token++) {
        if (*token == '~')
            buf_str(out, "~0");
        else if (*token == '/')
            buf_str(out, "~1");
        else
            buf_char(out, *token);
    }
}

void fault_shape(struct fault *f, const char *array, uint64_t index,
                 const char *field, const char *reason)
{
    struct buf pointer;
    *f = (struct fault){.what = OUTCOME_wrong_shape};
    buf_init(&pointer, f->pointer, sizeof f->pointer);
    if (array != NULL)
        add_token(&pointer, array);
    if (index != FAULT_NO_INDEX)
        buf_printf(&pointer, "/%" PRIu64, index);
    if (field != NULL)
        add_token(&pointer, field);
    snprintf(f->reason, sizeof f->reason, "%s", reason);
}

void fault_memory(struct fault *f)
{
    *f = (struct fault){.what = OUTCOME_internal};
    snprintf(f->reason, sizeof f->reason, "memory is short");
}
