//! Bucketing: which share of visitors a unit falls into. Integers only, so that every face agrees bit for bit.

/// One million: shares (`traffic`, `holdout`) are kept as parts per million.
pub const MILLION: u32 = 1_000_000;

/// MurmurHash3 x86 32 (Austin Appleby, public domain; reference implementation `MurmurHash3.cpp`).
pub fn murmur3_32(bytes: &[u8], seed: u32) -> u32 {
    const C1: u32 = 0xcc9e_2d51;
    const C2: u32 = 0x1b87_3593;
    let mix = |k: u32| k.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    let (blocks, tail) = bytes.as_chunks::<4>();
    let mut hash = seed;
    for block in blocks {
        hash ^= mix(u32::from_le_bytes(*block));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    if !tail.is_empty() {
        let k = tail.iter().rev().fold(0u32, |k, byte| (k << 8) | u32::from(*byte));
        hash ^= mix(k);
    }
    hash ^= bytes.len() as u32;
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// What a bucket is drawn for. Each has its own salt: were they to share a hash, the visitors inside a 10 % traffic
/// would see only some of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// The site's holdout; the salt's id is the site's.
    SiteHoldout,
    /// An experience's own holdout.
    Holdout,
    /// A place in a layer; the salt's id is the layer's name.
    Layer,
    /// An experience's traffic.
    Traffic,
    /// An experiment's variant. The salt's id is the experience's; of a factor `experience/factor`.
    Variant,
}

impl Draw {
    fn salt(self) -> &'static str {
        match self {
            Draw::SiteHoldout => "site-holdout",
            Draw::Holdout => "holdout",
            Draw::Layer => "layer",
            Draw::Traffic => "traffic",
            Draw::Variant => "variant",
        }
    }
}

/// The bucket of a unit in `0..total`: `(hash * total) >> 32` over the length-prefixed UTF-8 of the draw's salt, id and unit.
///
/// Lengths are 32-bit little-endian. `total` 0 gives 0. Vectors are frozen in `tests/spec/buckets.json`.
pub fn bucket(draw: Draw, id: &str, unit: &str, total: u32) -> u32 {
    let mut key = Vec::with_capacity(32 + id.len() + unit.len());
    for part in [draw.salt(), id, unit] {
        key.extend_from_slice(&(part.len() as u32).to_le_bytes());
        key.extend_from_slice(part.as_bytes());
    }
    ((u64::from(murmur3_32(&key, 0)) * u64::from(total)) >> 32) as u32
}
