/* fault: see fault.h. */
#include "decode/fault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"

void fault_shape(struct fault *f, const char *array, uint64_t index,
                 const char *field, const char *reason)
{
    struct buf pointer;
    *f = (struct fault){.what = OUTCOME_wrong_shape};
    buf_init(&pointer, f->pointer, sizeof f->pointer);
    if (array != NULL)
        escape_pointer(&pointer, array, strlen(array));
    if (index != FAULT_NO_INDEX)
        buf_printf(&pointer, "/%" PRIu64, index);
    if (field != NULL)
        escape_pointer(&pointer, field, strlen(field));
    snprintf(f->reason, sizeof f->reason, "%s", reason);
}

void fault_memory(struct fault *f)
{
    *f = (struct fault){.what = OUTCOME_internal};
    snprintf(f->reason, sizeof f->reason, "memory is short");
}

static const char *const reasons[] = {
    [EVALUATION_MISSING] = FAULT_MISSING,
    [EVALUATION_NOT_LIST] = FAULT_NOT_ARRAY,
    [EVALUATION_NOT_INT64] = FAULT_NOT_INT64,
    [EVALUATION_NOT_NUMBER] = FAULT_NOT_NUMBER,
    [EVALUATION_KEEP_LONG] = "longer than 64 KB, and compared with another",
    [EVALUATION_COPY_LONG] = "longer than 1 KB, and to be copied",
    [EVALUATION_COPY_KIND] = "a list or an object, and to be copied"};

void fault_query(struct fault *f, const struct program *p,
                 const struct evaluation_fault *wrong)
{
    struct buf pointer;
    if (wrong->what == EVALUATION_NO_MEMORY) {
        fault_memory(f);
        return;
    }
    *f = (struct fault){.what = OUTCOME_wrong_shape};
    if (wrong->what == EVALUATION_RANGE) {
        f->what = OUTCOME_out_of_range;
        snprintf(f->reason, sizeof f->reason, "%s does not fit %s",
                 p->results[wrong->result].name,
                 p->numbers == PROGRAM_INT64 ? "a 64-bit integer"
                                             : "a finite double");
        return;
    }
    buf_init(&pointer, f->pointer, sizeof f->pointer);
    evaluation_pointer(p, wrong, &pointer);
    if (wrong->line > 0)
        snprintf(f->reason, sizeof f->reason, "line %llu: %s",
                 (unsigned long long)wrong->line, reasons[wrong->what]);
    else
        snprintf(f->reason, sizeof f->reason, "%s", reasons[wrong->what]);
}
