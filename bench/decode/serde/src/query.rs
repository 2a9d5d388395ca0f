//! The query of bench/decode/peers.h by serde_json into typed structs.

use serde::Deserialize;
use std::borrow::Cow;

#[derive(Deserialize)]
struct Price {
    amount: i64,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    price: Price,
    quantity: i64,
}

#[derive(Deserialize)]
struct Order<'a> {
    #[serde(borrow)]
    lines: Vec<Line<'a>>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    order: Order<'a>,
}

fn decode(text: &[u8]) -> Option<i64> {
    let body: Body = serde_json::from_slice(text).ok()?;
    let paid = body.order.lines.iter().filter(|line| line.status == "paid");
    Some(paid.map(|line| line.price.amount * line.quantity).sum())
}

/// # Safety
/// `bytes` has `n` readable bytes and `sum` can be written.
#[no_mangle]
pub unsafe extern "C" fn query_serde(
    _query: *const crate::Query,
    bytes: *const u8,
    n: usize,
    sum: *mut u64,
) -> bool {
    match decode(std::slice::from_raw_parts(bytes, n)) {
        Some(total) => {
            *sum = total as u64;
            true
        }
        None => false,
    }
}
