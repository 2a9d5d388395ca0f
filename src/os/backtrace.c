/* backtrace: see backtrace.h. */
#include "os/backtrace.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <inttypes.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "os/signals.h"

/* The most that backtrace(3) sees of the handler itself: its functions, the
 * kernel's return from the signal, and what a sanitizer puts between. */
#define OWN_FRAMES 8

static struct backtrace *room;
static char program[64] = "program"; /* our own file, without its path */

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* The first call loads libgcc, which no signal handler could. */
void backtrace_prepare(void)
{
    void *frames[1];
    backtrace(frames, 1);
    /* Not from argv, where the title of the process is. */
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n > 0) {
        path[n] = '\0';
        snprintf(program, sizeof program, "%.63s", base_of(path));
    }
}

/* Where it was when the signal came; 0: not known of this machine. */
static uintptr_t interrupted(const void *of)
{
    const ucontext_t *context = of;
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

/* The number of frames that are ours: those before the interrupted one. None,
 * should it not be there: too much is better than nothing. */
static int count_own(void *const *frames, int n, uintptr_t at)
{
    for (int i = 0; i < n; i++)
        if ((uintptr_t)frames[i] == at)
            return i;
    return 0;
}

/* Stores, and backtrace(3), which since glibc 2.35 takes no lock. Should it
 * crash or hang all the same, the process was lost anyway. */
void backtrace_note(struct backtrace *s, uint64_t number, const void *context)
{
    void *frames[BACKTRACE_DEPTH + OWN_FRAMES];
    int n = backtrace(frames, BACKTRACE_DEPTH + OWN_FRAMES);
    int own = count_own(frames, n, interrupted(context));
    int depth = n - own < BACKTRACE_DEPTH ? n - own : BACKTRACE_DEPTH;
    for (int i = 0; i < depth; i++)
        atomic_store_explicit(&s->at[i], (uintptr_t)frames[own + i],
                              memory_order_relaxed);
    atomic_store_explicit(&s->depth, (uint32_t)depth, memory_order_relaxed);
    atomic_store_explicit(&s->given, number, memory_order_release);
}

static void answer(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    int saved = errno;
    uint64_t number = atomic_load_explicit(&room->asked, memory_order_acquire);
    if (number != 0 && /* else the signal is no question */
        number != atomic_load_explicit(&room->given, memory_order_relaxed))
        backtrace_note(room, number, context);
    errno = saved;
}

void backtrace_catch(struct backtrace *s)
{
    room = s;
    signals_catch(SIGALRM, answer);
}

void backtrace_ask(struct backtrace *s, pid_t pid, uint64_t number)
{
    atomic_store_explicit(&s->asked, number, memory_order_release);
    tgkill(pid, pid, SIGALRM); /* not to a thread that resolves a name */
}

void backtrace_forget(struct backtrace *s)
{
    atomic_store_explicit(&s->asked, 0, memory_order_relaxed);
}

/* --- For people. --- */

static void print_call(struct buf *out, uint64_t address)
{
    Dl_info info;
    struct link_map *module = NULL;
    if (dladdr1((const void *)(uintptr_t)address, &info, (void **)&module,
                RTLD_DL_LINKMAP) == 0 ||
        module == NULL) {
        /* Not this program's, or loaded after the fork. */
        buf_printf(out, " 0x%" PRIx64, address);
        return;
    }
    buf_printf(out, " %s+0x%" PRIx64,
               module->l_name[0] == '\0' ? program : base_of(module->l_name),
               address - module->l_addr);
    if (info.dli_sname != NULL)
        buf_printf(out, "(%s)", info.dli_sname);
}

bool backtrace_print(const struct backtrace *s, uint64_t number,
                     struct buf *out)
{
    if (atomic_load_explicit(&s->given, memory_order_acquire) != number)
        return false;
    uint32_t depth = atomic_load_explicit(&s->depth, memory_order_relaxed);
    for (uint32_t i = 0; i < depth && i < BACKTRACE_DEPTH; i++) {
        uint64_t at = atomic_load_explicit(&s->at[i], memory_order_relaxed);
        /* But for the innermost these are where a call returns to, which may
         * be another line. */
        print_call(out, i == 0 ? at : at - 1);
    }
    return depth > 0;
}

void backtrace_tell(const struct backtrace *s, uint64_t number, struct line *l)
{
    char text[1200];
    struct buf calls;
    buf_init(&calls, text, sizeof text);
    if (backtrace_print(s, number, &calls))
        line_text(l, "backtrace", text + 1); /* it begins with a space */
    else
        line_text(l, "backtrace", "none, it does not take signals");
}
