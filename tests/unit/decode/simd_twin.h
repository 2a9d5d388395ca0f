/* simd_twin: each operation of decode/simd on one instruction set does what
 * decode/simd_portable does. A test includes this, then the set's header, then
 * simd_twin_tests.h: everything portable has another name here. */
#include "decode/simd.h"

#define simd_block twin_block
#define simd_masks twin_masks
#define simd_load twin_load
#define simd_load_part twin_load_part
#define simd_eq twin_eq
#define simd_range twin_range
#define simd_lower twin_lower
#define simd_bit twin_bit
#define simd_count_eq twin_count_eq
#define simd_wrong_utf8 twin_wrong_utf8
#define simd_spread twin_spread
#define simd_count twin_count
#define simd_places twin_places
#define simd_pick twin_pick
#define simd_keep twin_keep
#define simd_depths twin_depths
#define simd_any twin_any
#define simd_join twin_join
#define simd_from twin_from
#define simd_behind twin_behind
#define simd_add twin_add
#define simd_parity twin_parity
#define plain_moved twin_moved
#define plain_spread_byte twin_spread_byte
#include "decode/simd_portable.h"
#undef simd_block
#undef simd_masks
#undef simd_load
#undef simd_load_part
#undef simd_eq
#undef simd_range
#undef simd_lower
#undef simd_bit
#undef simd_count_eq
#undef simd_wrong_utf8
#undef simd_spread
#undef simd_count
#undef simd_places
#undef simd_pick
#undef simd_keep
#undef simd_depths
#undef simd_any
#undef simd_join
#undef simd_from
#undef simd_behind
#undef simd_add
#undef simd_parity
#undef plain_moved
#undef plain_spread_byte
#undef SIMD_LANES
