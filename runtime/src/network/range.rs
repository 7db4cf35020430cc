//! Blocks of addresses, and which of them are not public.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address and how many of its first bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Block {
    first: IpAddr,
    bits: u8,
}

impl Block {
    const fn v4(first: [u8; 4], bits: u8) -> Block {
        let [a, b, c, d] = first;
        Block { first: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits }
    }

    const fn v6(first: [u16; 3], bits: u8) -> Block {
        let [a, b, c] = first;
        Block { first: IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)), bits }
    }

    /// Reads `ADDRESS` or `ADDRESS/BITS`.
    pub(super) fn parse(text: &str) -> Result<Block, String> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| format!("`{address}` is no address"))?;
        let first = written.to_canonical();
        let bits_max = width(first);
        let bits = match bits {
            None => bits_max,
            Some(_) if written != first => {
                return Err("a block of IPv4 is written as one, without `::ffff:`".to_owned());
            }
            Some(bits) => {
                let digits = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
                let number = bits.parse().ok().filter(|bits| digits && *bits <= bits_max);
                number.ok_or_else(|| format!("after the `/` comes a number of bits up to {bits_max}"))?
            }
        };
        let start = from_number(number(first) & mask(bits, bits_max), first);
        if start != first {
            return Err(format!("a block is written with its first address; write `{start}/{bits}`"));
        }
        Ok(Block { first, bits })
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let width = width(self.first);
        address.is_ipv4() == self.first.is_ipv4()
            && number(address) & mask(self.bits, width) == number(self.first)
    }

    pub(super) fn includes(&self, other: &Block) -> bool {
        self.bits <= other.bits && self.contains(other.first)
    }

    pub(super) fn is_ipv6(&self) -> bool {
        self.first.is_ipv6()
    }

    /// Whether it is one address, and a public one.
    pub(super) fn is_public_address(&self) -> bool {
        self.bits == width(self.first) && Range::of(self.first).is_none()
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        if self.bits < width(self.first) { write!(f, "/{}", self.bits) } else { Ok(()) }
    }
}

/// Bits of an address of this kind.
fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address of this number, of the same kind as `like`.
fn from_number(number: u128, like: IpAddr) -> IpAddr {
    match like {
        // It came from 32 bits.
        IpAddr::V4(_) => Ipv4Addr::from_bits(number as u32).into(),
        IpAddr::V6(_) => Ipv6Addr::from_bits(number).into(),
    }
}

/// The first `bits` of `width`.
fn mask(bits: u8, width: u8) -> u128 {
    u128::MAX.checked_shl(u32::from(width - bits)).unwrap_or(0)
}

/// Why an address is not a public one: what its block is set aside for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Range {
    /// The machine itself.
    Loopback,
    /// No address, or any of the machine's own.
    Unspecified,
    /// Networks of an organisation's own.
    Private,
    /// Between a provider and its customers (carrier-grade NAT).
    Shared,
    /// One link alone, where clouds have their metadata services.
    LinkLocal,
    /// Many at once.
    Multicast,
    /// Everybody on a network.
    Broadcast,
    /// Documentation, measurements and protocols.
    Special,
    /// Ways to write an address of IPv4 in one of IPv6 that lead elsewhere than it looks.
    Embedding,
    /// What nobody has been given yet.
    Reserved,
}

/// What is set aside, after the registries of special-purpose addresses (RFC 6890 and its successors).
const SET_ASIDE: &[(Block, Range)] = &[
    (Block::v4([0, 0, 0, 0], 8), Range::Unspecified),
    (Block::v4([10, 0, 0, 0], 8), Range::Private),
    (Block::v4([100, 64, 0, 0], 10), Range::Shared),
    (Block::v4([127, 0, 0, 0], 8), Range::Loopback),
    (Block::v4([169, 254, 0, 0], 16), Range::LinkLocal),
    (Block::v4([172, 16, 0, 0], 12), Range::Private),
    (Block::v4([192, 0, 0, 0], 24), Range::Special),
    (Block::v4([192, 0, 2, 0], 24), Range::Special),
    (Block::v4([192, 88, 99, 0], 24), Range::Embedding),
    (Block::v4([192, 168, 0, 0], 16), Range::Private),
    (Block::v4([198, 18, 0, 0], 15), Range::Special),
    (Block::v4([198, 51, 100, 0], 24), Range::Special),
    (Block::v4([203, 0, 113, 0], 24), Range::Special),
    (Block::v4([224, 0, 0, 0], 4), Range::Multicast),
    (Block::v4([255, 255, 255, 255], 32), Range::Broadcast),
    (Block::v4([240, 0, 0, 0], 4), Range::Reserved),
    (Block::v6([0xfc00, 0, 0], 7), Range::Private),
    (Block::v6([0xfe80, 0, 0], 10), Range::LinkLocal),
    (Block::v6([0xfec0, 0, 0], 10), Range::Private),
    (Block::v6([0xff00, 0, 0], 8), Range::Multicast),
    (Block::v6([0x64, 0xff9b, 1], 48), Range::Embedding),
    (Block::v6([0x2001, 0, 0], 32), Range::Embedding),
    (Block::v6([0x2001, 0, 0], 23), Range::Special),
    (Block::v6([0x2001, 0xdb8, 0], 32), Range::Special),
    (Block::v6([0x2002, 0, 0], 16), Range::Embedding),
    (Block::v6([0x3fff, 0, 0], 20), Range::Special),
];

/// What of IPv6 is given out at all.
const GLOBAL: Block = Block::v6([0x2000, 0, 0], 3);
/// Where translators to IPv4 have its addresses (RFC 6052): the last 32 bits are the address.
const TRANSLATED: Block = Block::v6([0x64, 0xff9b, 0], 96);

impl Range {
    /// What the address is set aside for; none if it is a public one.
    pub fn of(address: IpAddr) -> Option<Range> {
        let address = address.to_canonical();
        if let IpAddr::V6(address) = address {
            if address.is_loopback() {
                return Some(Range::Loopback);
            }
            if address.is_unspecified() {
                return Some(Range::Unspecified);
            }
            if TRANSLATED.contains(address.into()) {
                // As far as the address it is translated to is.
                return Range::of(Ipv4Addr::from_bits(address.to_bits() as u32).into());
            }
        }
        let set_aside = SET_ASIDE.iter().find(|(block, _)| block.contains(address)).map(|(_, range)| *range);
        set_aside.or((address.is_ipv6() && !GLOBAL.contains(address)).then_some(Range::Reserved))
    }

    /// A word for messages: `a … address`.
    pub fn as_str(self) -> &'static str {
        match self {
            Range::Loopback => "loopback",
            Range::Unspecified => "unspecified",
            Range::Private => "private",
            Range::Shared => "carrier-grade NAT",
            Range::LinkLocal => "link-local",
            Range::Multicast => "multicast",
            Range::Broadcast => "broadcast",
            Range::Special => "special-purpose",
            Range::Embedding => "tunnelled",
            Range::Reserved => "reserved",
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
