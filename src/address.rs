//! IP addresses and ranges of them (RFC 4291, RFC 4632). The standard library's reading and writing brings its formatting.

use crate::number::push_int;

/// An IP address. One of version 4 within version 6 (`::ffff:192.0.2.1`) is one of version 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    six: bool,
    bits: u128,
}

/// A range of addresses: all that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    first: Address,
    prefix: u32,
}

impl Address {
    /// Reads `192.0.2.1`, `2001:db8::1` or `::ffff:192.0.2.1`.
    pub fn parse(text: &str) -> Option<Address> {
        if !text.contains(':') {
            return Some(Address { six: false, bits: u128::from(four(text)?) });
        }
        let (head, tail) = match text.split_once("::") {
            Some((head, tail)) => (groups(head)?, Some(groups(tail)?)),
            None => (groups(text)?, None),
        };
        let mut all = head;
        match tail {
            // `::` stands for one group at least.
            Some(tail) if all.len() + tail.len() < 8 => {
                all.resize(8 - tail.len(), 0);
                all.extend(tail);
            }
            Some(_) => return None,
            None => {}
        }
        if all.len() != 8 {
            return None;
        }
        let bits = all.iter().fold(0u128, |bits, group| bits << 16 | u128::from(*group));
        let six = bits >> 32 != 0xffff;
        Some(Address { six, bits: if six { bits } else { bits & 0xffff_ffff } })
    }

    fn length(self) -> u32 {
        if self.six { 128 } else { 32 }
    }

    /// The address as RFC 5952 writes it.
    pub fn write(self, out: &mut String) {
        if !self.six {
            for (index, shift) in [24, 16, 8, 0].into_iter().enumerate() {
                if index > 0 {
                    out.push('.');
                }
                push_int(out, (self.bits >> shift & 0xff) as i64);
            }
            return;
        }
        let group = |index: usize| (self.bits >> (16 * (7 - index)) & 0xffff) as u32;
        // The longest run of zeros, the first of equals; one alone is written out.
        let (mut start, mut longest) = (8, 1);
        for from in 0..8 {
            let run = (from..8).take_while(|index| group(*index) == 0).count();
            if run > longest {
                (start, longest) = (from, run);
            }
        }
        let mut index = 0;
        while index < 8 {
            if index == start {
                out.push_str("::");
                index += longest;
                continue;
            }
            if index > 0 && index != start + longest {
                out.push(':');
            }
            let digits = (0..4).rev().map(|digit| group(index) >> (4 * digit) & 15);
            let mut seen = false;
            for (place, digit) in digits.enumerate() {
                seen |= digit > 0 || place == 3;
                if seen {
                    out.extend(char::from_digit(digit, 16));
                }
            }
            index += 1;
        }
    }
}

impl Range {
    /// Reads `192.0.2.0/24` or `2001:db8::/32`. `None` also where bits are set behind the prefix, which is a mistake.
    pub fn parse(text: &str) -> Option<Range> {
        let (address, prefix) = text.split_once('/')?;
        let (first, prefix) = (Address::parse(address)?, decimal(prefix, 3)?);
        let behind = first.length().checked_sub(prefix)?;
        let clean = behind == 0 || first.bits & (u128::MAX >> (128 - behind)) == 0;
        clean.then_some(Range { first, prefix })
    }

    /// Whether an address is in the range.
    pub fn contains(self, address: Address) -> bool {
        let behind = self.first.length() - self.prefix;
        self.first.six == address.six && (behind == 128 || self.first.bits >> behind == address.bits >> behind)
    }

    /// The range as it is read.
    pub fn write(self, out: &mut String) {
        self.first.write(out);
        out.push('/');
        push_int(out, i64::from(self.prefix));
    }
}

/// Digits without a leading zero, at most so many.
fn decimal(text: &str, most: usize) -> Option<u32> {
    let plain = (1..=most).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    plain.then(|| text.bytes().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

fn four(text: &str) -> Option<u32> {
    let mut bits = 0;
    let mut parts = text.split('.');
    for _ in 0..4 {
        bits = bits << 8 | decimal(parts.next()?, 3).filter(|part| *part <= 255)?;
    }
    parts.next().is_none().then_some(bits)
}

/// The groups of 16 bits of a part of an address; the last may be an address of version 4.
fn groups(text: &str) -> Option<Vec<u16>> {
    let mut groups = Vec::new();
    if text.is_empty() {
        return Some(groups);
    }
    let mut parts = text.split(':').peekable();
    while let Some(part) = parts.next() {
        if part.contains('.') && parts.peek().is_none() {
            let bits = four(part)?;
            groups.extend([(bits >> 16) as u16, bits as u16]);
            continue;
        }
        if !(1..=4).contains(&part.len()) {
            return None;
        }
        let mut digits = part.chars().map(|c| c.to_digit(16));
        groups.push(digits.try_fold(0, |group, digit| Some(group << 4 | digit? as u16))?);
    }
    Some(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv6Addr};

    fn written(address: Address) -> String {
        let mut text = String::new();
        address.write(&mut text);
        text
    }

    proptest! {
        #[test]
        fn reads_and_writes_what_the_standard_library_does(bits: [u16; 8], zeros: u8, four: u32) {
            let mut groups = bits;
            (0..8).filter(|index| zeros >> index & 1 == 1).for_each(|index| groups[index] = 0);
            let expected = Ipv6Addr::from(groups);
            prop_assume!(expected.to_ipv4_mapped().is_none());
            prop_assert_eq!(written(Address::parse(&expected.to_string()).unwrap()), expected.to_string());
            let expected = std::net::Ipv4Addr::from(four).to_string();
            prop_assert_eq!(written(Address::parse(&expected).unwrap()), expected);
        }

        #[test]
        fn accepts_what_the_standard_library_accepts(text in "[0-9a-f:.]{0,16}") {
            prop_assert_eq!(Address::parse(&text).is_some(), text.parse::<IpAddr>().is_ok(), "{}", text);
        }
    }

    #[test]
    fn ranges() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("192.0.2.128/25", "192.0.2.200", "192.0.2.1"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
            ("::/0", "2001:db8::1", "1.2.3.4"),
            ("2001:db8::/32", "2001:db8:ffff::", "2001:db9::"),
            ("192.0.2.1/32", "::ffff:192.0.2.1", "192.0.2.2"),
            ("::1/128", "::1", "::2"),
        ] {
            let (parsed, address) = (Range::parse(range).unwrap(), |text| Address::parse(text).unwrap());
            assert!(parsed.contains(address(inside)), "{range} {inside}");
            assert!(!parsed.contains(address(outside)), "{range} {outside}");
            let mut text = String::new();
            parsed.write(&mut text);
            assert_eq!(text, range);
        }
        for bad in ["", "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "::/129", "::1/64", "x/8"] {
            assert_eq!(Range::parse(bad), None, "{bad}");
        }
    }
}
