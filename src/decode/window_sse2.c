/* window_sse2: decode/window with 16 bytes at a time. */
#if defined __x86_64__
#include "decode/simd_sse2.h"

#define WINDOW_PATH window_sse2
#define WINDOW_NAME "sse2"
#include "decode/window_impl.h"
#endif
