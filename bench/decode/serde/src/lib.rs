//! serde_json into the types that are wanted, as `#[derive(Deserialize)]` would
//! do it, but with names that come at run time: what is read is one array of
//! one number an item, every other member is ignored.

mod query;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// `struct query` of bench/decode/peers.h.
#[repr(C)]
pub struct Query {
    array: *const u8,
    field: *const u8,
    array_n: usize,
    field_n: usize,
    doubles: bool,
}

/// The sum of twice the values.
trait Total: Copy {
    type Number: for<'de> Deserialize<'de>;
    const ZERO: Self;
    fn add(self, number: Self::Number) -> Self;
    fn bits(self) -> u64;
}

impl Total for i64 {
    type Number = i64;
    const ZERO: i64 = 0;
    fn add(self, number: i64) -> i64 {
        self.wrapping_add(number.wrapping_mul(2))
    }
    fn bits(self) -> u64 {
        self as u64
    }
}

impl Total for f64 {
    type Number = f64;
    const ZERO: f64 = 0.0;
    fn add(self, number: f64) -> f64 {
        self + number * 2.0
    }
    fn bits(self) -> u64 {
        self.to_bits()
    }
}

/// Is the key this one?
struct Named<'a>(&'a [u8]);

impl<'de, 'a> DeserializeSeed<'de> for Named<'a> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<bool, D::Error> {
        d.deserialize_identifier(self)
    }
}

impl<'de, 'a> Visitor<'de> for Named<'a> {
    type Value = bool;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        Ok(key.as_bytes() == self.0)
    }
}

/// An item: its number is added to what is there.
struct Item<'a, T>(&'a [u8], T);

impl<'de, 'a, T: Total> DeserializeSeed<'de> for Item<'a, T> {
    type Value = T;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de, 'a, T: Total> Visitor<'de> for Item<'a, T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an item")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut found = None;
        while let Some(wanted) = map.next_key_seed(Named(self.0))? {
            if wanted {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        match found {
            Some(number) => Ok(self.1.add(number)),
            None => Err(A::Error::custom("an item without the field")),
        }
    }
}

struct Items<'a, T>(&'a [u8], T);

impl<'de, 'a, T: Total> DeserializeSeed<'de> for Items<'a, T> {
    type Value = T;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de, 'a, T: Total> Visitor<'de> for Items<'a, T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an array of items")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
        let mut total = self.1;
        while let Some(more) = seq.next_element_seed(Item(self.0, total))? {
            total = more;
        }
        Ok(total)
    }
}

struct Body<'a, T>(&'a [u8], &'a [u8], T);

impl<'de, 'a, T: Total> Visitor<'de> for Body<'a, T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut found = None;
        while let Some(wanted) = map.next_key_seed(Named(self.0))? {
            if wanted {
                found = Some(map.next_value_seed(Items(self.1, self.2))?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::custom("a body without the array"))
    }
}

fn decode<T: Total>(text: &[u8], array: &[u8], field: &[u8]) -> Option<u64> {
    let mut source = serde_json::Deserializer::from_slice(text);
    source.disable_recursion_limit();
    let total = source.deserialize_map(Body(array, field, T::ZERO)).ok()?;
    source.end().ok()?;
    Some(total.bits())
}

/// # Safety
/// What `query` points to can be read, `bytes` has `n` readable bytes and `sum`
/// can be written.
#[no_mangle]
pub unsafe extern "C" fn decode_serde(
    query: *const Query,
    bytes: *const u8,
    n: usize,
    sum: *mut u64,
) -> bool {
    let q = &*query;
    let text = std::slice::from_raw_parts(bytes, n);
    let array = std::slice::from_raw_parts(q.array, q.array_n);
    let field = std::slice::from_raw_parts(q.field, q.field_n);
    let found = match q.doubles {
        true => decode::<f64>(text, array, field),
        false => decode::<i64>(text, array, field),
    };
    if let Some(bits) = found {
        *sum = bits;
    }
    found.is_some()
}
