//! IP addresses and ranges of them (RFC 4291, RFC 4632). The standard library's reading and writing brings its formatting.

use crate::number::push_int;
use crate::text::{Cut, hex_digit, push, push_hex};

/// An IP address. One of version 4 within version 6 (`::ffff:192.0.2.1`) is one of version 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    six: bool,
    /// 16 bits each; an address of version 4 is in the last two.
    groups: [u16; 8],
}

/// A range of addresses: all that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    first: Address,
    /// Bits of the groups, so 96 more than is written for version 4.
    prefix: u32,
}

impl Address {
    /// Reads `192.0.2.1`, `2001:db8::1` or `::ffff:192.0.2.1`.
    pub fn parse(text: &str) -> Option<Address> {
        let mut rest = text.as_bytes();
        let mut groups = [0; 8];
        if !text.has(b':') {
            let [.., high, low] = &mut groups;
            (*high, *low) = four(rest)?;
            return Some(Address { six: false, groups });
        }
        let mut count = 0;
        let mut push = |group: u16| {
            *groups.get_mut(count)? = group;
            count += 1;
            Some(count)
        };
        // Where `::` stands.
        let mut gap = None;
        let mut read = 0;
        if let Some(behind) = rest.strip_prefix(b"::") {
            (gap, rest) = (Some(0), behind);
        }
        while gap != Some(read) || !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b':').unwrap_or(rest.len());
            let (part, behind) = rest.split_at_checked(end)?;
            read = match hexadecimal(part) {
                Some(group) => push(group)?,
                // Only the last part may be of version 4.
                None => {
                    let (high, low) = four(part).filter(|_| behind.is_empty())?;
                    push(high)?;
                    push(low)?
                }
            };
            rest = match behind.split_first() {
                None => break,
                Some((_, rest)) => rest,
            };
            if let Some(behind) = rest.strip_prefix(b":") {
                if gap.is_some() {
                    return None;
                }
                (gap, rest) = (Some(read), behind);
            }
        }
        match gap {
            // `::` stands for one group at least.
            Some(gap) if read < 8 => {
                for index in (gap..read).rev() {
                    let group = groups.get_mut(index).map(std::mem::take)?;
                    *groups.get_mut(index + 8 - read)? = group;
                }
            }
            None if read == 8 => {}
            _ => return None,
        }
        let six = !matches!(groups, [0, 0, 0, 0, 0, 0xffff, ..]);
        if !six {
            let [.., mark, _, _] = &mut groups;
            *mark = 0;
        }
        Some(Address { six, groups })
    }

    /// How many of the groups' bits say nothing.
    fn unused(self) -> u32 {
        if self.six { 0 } else { 96 }
    }

    /// The address as RFC 5952 writes it.
    pub fn write(self, out: &mut String) {
        if !self.six {
            let [.., high, low] = self.groups;
            for (index, part) in [high >> 8, high & 255, low >> 8, low & 255].into_iter().enumerate() {
                if index > 0 {
                    push(out, b'.');
                }
                push_int(out, i64::from(part));
            }
            return;
        }
        // The longest run of zeros, the first of equals; one alone is written out.
        let (mut start, mut longest, mut run) = (8, 1, 0);
        for (index, group) in self.groups.iter().enumerate() {
            run = if *group == 0 { run + 1 } else { 0 };
            if run > longest {
                (start, longest) = (index + 1 - run, run);
            }
        }
        for (index, group) in self.groups.iter().enumerate() {
            if index == start {
                out.push_str("::");
            }
            if (start..start + longest).contains(&index) && start < 8 {
                continue;
            }
            if index > 0 && index != start + longest {
                push(out, b':');
            }
            let mut seen = false;
            for shift in [12, 8, 4, 0] {
                let digit = (*group >> shift & 15) as u8;
                seen |= digit > 0 || shift == 0;
                if seen {
                    push_hex(out, digit);
                }
            }
        }
    }
}

impl Range {
    /// Reads `192.0.2.0/24` or `2001:db8::/32`. `None` also where bits are set behind the prefix, which is a mistake.
    pub fn parse(text: &str) -> Option<Range> {
        let (address, prefix) = text.cut(b'/')?;
        let first = Address::parse(address)?;
        // One of version 4 within version 6 has a prefix of version 6.
        let unused = if address.has(b':') { 0 } else { first.unused() };
        let range = Range { first, prefix: decimal(prefix.as_bytes())? + unused };
        let clean = first.groups.iter().enumerate().all(|(index, group)| group & !range.mask(index) == 0);
        (range.prefix <= 128 && range.prefix >= first.unused() && clean).then_some(range)
    }

    /// The bits of a group that count.
    fn mask(self, index: usize) -> u16 {
        let bits = self.prefix.saturating_sub(16 * index as u32).min(16);
        !(0xffff_u32 >> bits) as u16
    }

    /// Whether an address is in the range.
    pub fn contains(self, address: Address) -> bool {
        let mut pairs = self.first.groups.iter().zip(address.groups).enumerate();
        self.first.six == address.six && pairs.all(|(index, (one, other))| (one ^ other) & self.mask(index) == 0)
    }

    /// The range as it is read.
    pub fn write(self, out: &mut String) {
        self.first.write(out);
        push(out, b'/');
        push_int(out, i64::from(self.prefix - self.first.unused()));
    }
}

/// At most three digits, without a leading zero.
fn decimal(text: &[u8]) -> Option<u32> {
    let mut number = 0;
    for (index, byte) in text.iter().enumerate() {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        if digit > 9 || index > 2 || (index > 0 && number == 0) {
            return None;
        }
        number = number * 10 + digit;
    }
    (!text.is_empty()).then_some(number)
}

/// At most four digits.
fn hexadecimal(text: &[u8]) -> Option<u16> {
    if !(1..=4).contains(&text.len()) {
        return None;
    }
    let mut number = 0;
    for byte in text {
        number = number << 4 | u16::from(hex_digit(*byte)?);
    }
    Some(number)
}

/// The two groups of an address of version 4.
fn four(text: &[u8]) -> Option<(u16, u16)> {
    let (mut bits, mut parts) = (0u32, 0);
    for part in text.split(|byte| *byte == b'.') {
        bits = bits << 8 | decimal(part).filter(|part| *part < 256)?;
        parts += 1;
    }
    (parts == 4).then_some(((bits >> 16) as u16, bits as u16))
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
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
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
