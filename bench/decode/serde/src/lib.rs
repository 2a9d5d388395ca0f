//! serde_json into typed structs, doing the same sum.

use serde::Deserialize;

#[derive(Deserialize)]
struct Item {
    value: i64,
}

#[derive(Deserialize)]
struct Order {
    items: Vec<Item>,
}

/// # Safety
/// `bytes` has `n` readable bytes and `sum` can be written.
#[no_mangle]
pub unsafe extern "C" fn decode_serde(bytes: *const u8, n: usize, sum: *mut i64) -> bool {
    let text = std::slice::from_raw_parts(bytes, n);
    match serde_json::from_slice::<Order>(text) {
        Ok(order) => {
            *sum = order.items.iter().map(|item| item.value * 2).sum();
            true
        }
        Err(_) => false,
    }
}
