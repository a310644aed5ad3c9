//! Who is drawn for: ids of every kind that sites have.

/// A generator of numbers from a seed (SplitMix64, public domain; Guy Steele, Doug Lea, Christine Flood). It has nothing in
/// common with the hash that draws buckets.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True in this share of cases.
    pub fn with_share(&mut self, share: f64) -> bool {
        ((self.next() >> 11) as f64) < share * (1u64 << 53) as f64
    }

    /// An id as `crypto.randomUUID()` makes them.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 48) & 0x3fff,
            low & 0xffff_ffff_ffff
        )
    }
}

/// A kind of ids: its name, whether a visitor's cookie may hold one, and the id of a number.
pub struct Kind {
    pub name: &'static str,
    pub in_cookies: bool,
    pub id: fn(u64) -> String,
}

/// Every kind. Ids of one kind are all different.
pub const KINDS: [Kind; 6] = [
    Kind { name: "random", in_cookies: true, id: |n| Dice::new(n).uuid() },
    Kind { name: "sequential", in_cookies: true, id: |n| format!("visitor-{n:07}") },
    Kind { name: "numbers of eight digits", in_cookies: true, id: |n| format!("{n:08}") },
    Kind { name: "numbers", in_cookies: false, id: |n| n.to_string() },
    Kind { name: "addresses", in_cookies: false, id: |n| format!("jürgen.müller+{n}@例え.example") },
    Kind { name: "without ASCII", in_cookies: false, id: |n| format!("посетитель№{}", devanagari(n)) },
];

/// A number in the digits of Hindi.
fn devanagari(n: u64) -> String {
    n.to_string().chars().map(|digit| char::from_u32(digit as u32 - '0' as u32 + '०' as u32).unwrap()).collect()
}

#[test]
fn ids_are_what_they_are_called() {
    let ids = |n: u64| KINDS.map(|kind| (kind.id)(n));
    assert_eq!(
        ids(42),
        [
            "bdd73226-2feb-4e95-a8ef-e333b266f103",
            "visitor-0000042",
            "00000042",
            "42",
            "jürgen.müller+42@例え.example",
            "посетитель№४२"
        ]
    );
    // The generator's own vector, for the seed 1234567.
    let mut dice = Dice::new(1234567);
    assert_eq!([dice.next(), dice.next()], [6457827717110365317, 3203168211198807973]);
    for (kind, id) in KINDS.iter().zip(ids(7)) {
        assert_eq!(idoine::cookies::split_id(&id).is_some(), kind.in_cookies, "{id}");
    }
}
