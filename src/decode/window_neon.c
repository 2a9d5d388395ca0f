/* window_neon: decode/window with 16 bytes at a time. */
#if defined __aarch64__
#include "decode/simd_neon.h"

#define WINDOW_PATH window_neon
#define WINDOW_NAME "neon"
#include "decode/window_impl.h"
#endif
