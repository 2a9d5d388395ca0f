/* window_portable: decode/window with plain C. */
#include "decode/simd_portable.h"

#define WINDOW_PATH window_portable
#define WINDOW_NAME "portable"
#include "decode/window_impl.h"
