/* machine: what a system call and a switch of process cost here.
 *
 * System call: getppid(2), which the C library does not answer by itself and
 * the kernel answers at once. Switch: two processes on one processor hand a
 * byte to each other over two pipes; half of a round trip, which is a switch
 * with the write(2) and the read(2) that bring it about. Each is the least of
 * ROUNDS, since what others do on the machine only adds to it.
 *
 * Prints one JSON object: {"system_call_ns":N,"switch_ns":N}. */
#include <float.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 9
#define CALLS 100000
#define TRIPS 10000

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_calls(void)
{
    double least = DBL_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        for (int i = 0; i < CALLS; i++)
            syscall(SYS_getppid);
        least = fmin(least, (now_ns() - start) / CALLS);
    }
    return least;
}

static void pass(int from, int to)
{
    char byte;
    if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1)
        die("pipe");
}

static void stay_on_one_processor(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0)
        die("sched_setaffinity");
}

static double time_switches(void)
{
    int there[2], back[2];
    double least = DBL_MAX;
    stay_on_one_processor();
    if (pipe(there) != 0 || pipe(back) != 0)
        die("pipe");
    pid_t other = fork();
    if (other < 0)
        die("fork");
    if (other == 0) {
        for (int i = 0; i < ROUNDS * TRIPS; i++)
            pass(there[0], back[1]);
        _exit(EXIT_SUCCESS);
    }
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        for (int i = 0; i < TRIPS; i++) {
            if (write(there[1], "", 1) != 1)
                die("pipe");
            char byte;
            if (read(back[0], &byte, 1) != 1)
                die("pipe");
        }
        least = fmin(least, (now_ns() - start) / TRIPS / 2);
    }
    waitpid(other, NULL, 0);
    return least;
}

int main(void)
{
    double call = time_calls();
    printf("{\"system_call_ns\":%.0f,\"switch_ns\":%.0f}\n", call,
           time_switches());
    return EXIT_SUCCESS;
}
