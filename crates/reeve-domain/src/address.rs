//! Which IP addresses are special-purpose and therefore refused unless a rule names them.
//! Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and successors), the multicast and
//! address-space registries, and the metadata addresses that cloud providers document.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is refused unless a rule names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Special {
    /// What it is for, in words for people: `loopback`, `cloud metadata`, ….
    pub name: &'static str,
    /// The registered range in CIDR notation; a single address for metadata.
    pub range: &'static str,
}

/// One block of a registry.
type Block4 = (Ipv4Addr, u32, Special);
type Block6 = (Ipv6Addr, u32, Special);

const fn block4(a: u8, b: u8, c: u8, length: u32, name: &'static str, range: &'static str) -> Block4 {
    (Ipv4Addr::new(a, b, c, 0), length, Special { name, range })
}

#[rustfmt::skip]
const BLOCKS_4: [Block4; 19] = [
    block4(0, 0, 0, 8, "this network", "0.0.0.0/8"),
    block4(10, 0, 0, 8, "private use", "10.0.0.0/8"),
    block4(100, 64, 0, 10, "carrier-grade NAT", "100.64.0.0/10"),
    block4(127, 0, 0, 8, "loopback", "127.0.0.0/8"),
    block4(169, 254, 0, 16, "link-local", "169.254.0.0/16"),
    block4(172, 16, 0, 12, "private use", "172.16.0.0/12"),
    block4(192, 0, 0, 24, "IETF protocol assignments", "192.0.0.0/24"),
    block4(192, 0, 2, 24, "documentation", "192.0.2.0/24"),
    block4(192, 31, 196, 24, "AS112", "192.31.196.0/24"),
    block4(192, 52, 193, 24, "automatic multicast tunnelling", "192.52.193.0/24"),
    block4(192, 88, 99, 24, "6to4 relay", "192.88.99.0/24"),
    block4(192, 168, 0, 16, "private use", "192.168.0.0/16"),
    block4(192, 175, 48, 24, "AS112", "192.175.48.0/24"),
    block4(198, 18, 0, 15, "benchmarking", "198.18.0.0/15"),
    block4(198, 51, 100, 24, "documentation", "198.51.100.0/24"),
    block4(203, 0, 113, 24, "documentation", "203.0.113.0/24"),
    block4(224, 0, 0, 4, "multicast", "224.0.0.0/4"),
    (Ipv4Addr::BROADCAST, 32, Special { name: "broadcast", range: "255.255.255.255/32" }),
    block4(240, 0, 0, 4, "reserved", "240.0.0.0/4"),
];

const METADATA: &str = "cloud metadata";

/// Addresses that hand out credentials of a machine or container: AWS (instance, DNS, ECS, EKS), Google, Azure, Alibaba,
/// Oracle, Tencent and Scaleway.
#[rustfmt::skip]
const METADATA_4: [(Ipv4Addr, &str); 11] = [
    (Ipv4Addr::new(169, 254, 169, 254), "169.254.169.254"),
    (Ipv4Addr::new(169, 254, 169, 253), "169.254.169.253"),
    (Ipv4Addr::new(169, 254, 169, 123), "169.254.169.123"),
    (Ipv4Addr::new(169, 254, 170, 2), "169.254.170.2"),
    (Ipv4Addr::new(169, 254, 170, 23), "169.254.170.23"),
    (Ipv4Addr::new(169, 254, 42, 42), "169.254.42.42"),
    (Ipv4Addr::new(169, 254, 0, 23), "169.254.0.23"),
    (Ipv4Addr::new(168, 63, 129, 16), "168.63.129.16"),
    (Ipv4Addr::new(100, 100, 100, 200), "100.100.100.200"),
    (Ipv4Addr::new(192, 0, 0, 192), "192.0.0.192"),
    (Ipv4Addr::new(169, 254, 169, 249), "169.254.169.249"),
];

#[rustfmt::skip]
const METADATA_6: [(Ipv6Addr, &str); 6] = [
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), "fd00:ec2::254"),
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253), "fd00:ec2::253"),
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23), "fd00:ec2::23"),
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), "fd20:ce::254"),
    (Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe), "fd00:c1::a9fe:a9fe"),
    (Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42), "fd00:42::42"),
];

const fn block6(head: [u16; 4], length: u32, name: &'static str, range: &'static str) -> Block6 {
    let [a, b, c, d] = head;
    (Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), length, Special { name, range })
}

/// More specific blocks stand before the wider ones that hold them.
#[rustfmt::skip]
const BLOCKS_6: [Block6; 25] = [
    (Ipv6Addr::LOCALHOST, 128, Special { name: "loopback", range: "::1/128" }),
    (Ipv6Addr::UNSPECIFIED, 128, Special { name: "unspecified", range: "::/128" }),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, Special { name: "IPv4-mapped", range: "::ffff:0:0/96" }),
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96, Special { name: "IPv4-translated", range: "::ffff:0:0:0/96" }),
    (Ipv6Addr::UNSPECIFIED, 96, Special { name: "IPv4-compatible", range: "::/96" }),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, Special { name: "NAT64", range: "64:ff9b::/96" }),
    block6([0x64, 0xff9b, 1, 0], 48, "local NAT64", "64:ff9b:1::/48"),
    block6([0x100, 0, 0, 0], 64, "discard-only", "100::/64"),
    block6([0x100, 0, 0, 1], 64, "dummy prefix", "100:0:0:1::/64"),
    block6([0x2001, 0, 0, 0], 32, "Teredo", "2001::/32"),
    block6([0x2001, 2, 0, 0], 48, "benchmarking", "2001:2::/48"),
    block6([0x2001, 0x10, 0, 0], 28, "ORCHID", "2001:10::/28"),
    block6([0x2001, 0x20, 0, 0], 28, "ORCHIDv2", "2001:20::/28"),
    block6([0x2001, 0x30, 0, 0], 28, "drone remote id", "2001:30::/28"),
    block6([0x2001, 0, 0, 0], 23, "IETF protocol assignments", "2001::/23"),
    block6([0x2001, 0xdb8, 0, 0], 32, "documentation", "2001:db8::/32"),
    block6([0x2002, 0, 0, 0], 16, "6to4", "2002::/16"),
    block6([0x2620, 0x4f, 0x8000, 0], 48, "AS112", "2620:4f:8000::/48"),
    block6([0x3fff, 0, 0, 0], 20, "documentation", "3fff::/20"),
    block6([0x5f00, 0, 0, 0], 16, "segment routing", "5f00::/16"),
    block6([0xfc00, 0, 0, 0], 7, "unique local", "fc00::/7"),
    block6([0xfe80, 0, 0, 0], 10, "link-local", "fe80::/10"),
    block6([0xfec0, 0, 0, 0], 10, "site-local", "fec0::/10"),
    block6([0xff00, 0, 0, 0], 8, "multicast", "ff00::/8"),
    block6([0x3ffe, 0, 0, 0], 16, "6bone", "3ffe::/16"),
];

const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const OUTSIDE_GLOBAL: Special = Special { name: "reserved, outside global unicast", range: "outside 2000::/3" };

fn within4(ip: Ipv4Addr, base: Ipv4Addr, length: u32) -> bool {
    (ip.to_bits() ^ base.to_bits()).checked_shr(32 - length).unwrap_or(0) == 0
}

fn within6(ip: Ipv6Addr, base: Ipv6Addr, length: u32) -> bool {
    (ip.to_bits() ^ base.to_bits()).checked_shr(128 - length).unwrap_or(0) == 0
}

/// What is special about an address; `None` for ordinary public unicast. An IPv6 address that carries an IPv4 address
/// (mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP) is judged by that one too, which is named first.
#[must_use]
pub fn special(ip: IpAddr) -> Option<Special> {
    match ip {
        IpAddr::V4(ip) => special4(ip),
        IpAddr::V6(ip) => {
            let metadata =
                METADATA_6.iter().find(|(at, _)| *at == ip).map(|&(_, range)| Special { name: METADATA, range });
            let own =
                BLOCKS_6.iter().find(|(base, length, _)| within6(ip, *base, *length)).map(|(_, _, special)| *special);
            let outside = (!within6(ip, GLOBAL_UNICAST.0, GLOBAL_UNICAST.1)).then_some(OUTSIDE_GLOBAL);
            // `::` and `::1` would be read as the compatible forms of 0.0.0.0 and 0.0.0.1.
            let ordinary = !ip.is_unspecified() && !ip.is_loopback();
            let inside = || carried(ip).filter(move |_| ordinary);
            let carried = inside().find_map(metadata4).or_else(|| inside().find_map(special4));
            metadata.or(carried).or(own).or(outside)
        }
    }
}

fn metadata4(ip: Ipv4Addr) -> Option<Special> {
    METADATA_4.iter().find(|(at, _)| *at == ip).map(|&(_, range)| Special { name: METADATA, range })
}

fn special4(ip: Ipv4Addr) -> Option<Special> {
    metadata4(ip).or_else(|| {
        BLOCKS_4.iter().find(|(base, length, _)| within4(ip, *base, *length)).map(|(_, _, special)| *special)
    })
}

/// The IPv4 addresses that an IPv6 address may lead to. A local NAT64 prefix may have any of the lengths of RFC 6052, so
/// each reading counts.
fn carried(ip: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let bits = ip.to_bits();
    let v4 = |shift: u32| Ipv4Addr::from_bits(u32::try_from(bits >> shift & 0xffff_ffff).unwrap_or_default());
    // RFC 6052 leaves octet 8 (bits 64 to 71) out of the embedded address.
    let around_octet_8 = |prefix: u32| {
        let before = 64 - prefix;
        let high = if before == 0 { 0 } else { bits >> 64 & ((1 << before) - 1) };
        let after = 32 - before;
        let low = bits >> (56 - after) & ((1 << after) - 1);
        Ipv4Addr::from_bits(u32::try_from(high << after | low).unwrap_or_default())
    };
    let last_32 = [(0x0000_0000_0000_0000_0000_ffff_u128), 0, 0xffff_0000, 0x0064_ff9b_0000_0000_0000_0000];
    let isatap = bits >> 32 & 0xfdff_ffff == 0x5efe;
    let found = if last_32.contains(&(bits >> 32)) || isatap {
        [Some(v4(0)), None, None, None]
    } else if bits >> 112 == 0x2002 {
        [Some(v4(80)), None, None, None]
    } else if bits >> 96 == 0x2001_0000 {
        // Teredo: the server, and the client with every bit turned.
        [Some(v4(64)), Some(Ipv4Addr::from_bits(!v4(0).to_bits())), None, None]
    } else if bits >> 80 == 0x0064_ff9b_0001 {
        // A reading that begins with 0 is the padding of another length and leads nowhere.
        [v4(0), around_octet_8(48), around_octet_8(56), around_octet_8(64)]
            .map(|ip| Some(ip).filter(|ip| ip.to_bits() >> 24 != 0))
    } else {
        [None; 4]
    };
    found.into_iter().flatten()
}

fn is_metadata(ip: IpAddr) -> bool {
    special(ip).is_some_and(|special| special.name == METADATA)
}

/// A list of ranges that does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    #[error("`{0}` is not an IP address or range such as `10.0.0.0/8`")]
    Address(String),
    #[error("`{0}` has a prefix length that is not a number from 0 to {1}")]
    Length(String, u32),
    #[error("`{0}` has bits set beyond its prefix length")]
    HostBits(String),
    #[error("`{0}` writes an IPv4 address as IPv6; write it as IPv4")]
    Mapped(String),
}

/// Address ranges that a rule names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranges(Vec<(IpAddr, u32)>);

impl Ranges {
    /// Reads addresses and CIDR ranges, separated by commas; spaces around them are ignored. Nothing at all names nothing.
    ///
    /// # Errors
    /// Names the first entry that is wrong.
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(|entry| read_range(entry.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether these ranges name this address. An address that carries an IPv4 address needs that one named too where it
    /// is special. A metadata address is named only by exactly itself, never by a range around it.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.names(ip)
            && match ip {
                IpAddr::V4(_) => true,
                IpAddr::V6(v6) => carried(v6).all(|v4| special4(v4).is_none() || self.names(v4.into())),
            }
    }

    fn names(&self, ip: IpAddr) -> bool {
        let exactly = is_metadata(ip);
        self.0.iter().any(|(base, length)| match (base, ip) {
            _ if exactly => *base == ip && *length == width(ip),
            (IpAddr::V4(base), IpAddr::V4(ip)) => within4(ip, *base, *length),
            (IpAddr::V6(base), IpAddr::V6(ip)) => within6(ip, *base, *length),
            _ => false,
        })
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Bits of an address of this family.
fn width(ip: IpAddr) -> u32 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn read_range(entry: &str) -> Result<(IpAddr, u32), RangeError> {
    let shown = || entry.chars().take(64).flat_map(char::escape_debug).collect::<String>();
    let (address, length) = entry.split_once('/').map_or((entry, None), |(address, length)| (address, Some(length)));
    let ip: IpAddr = address.parse().map_err(|_| RangeError::Address(shown()))?;
    if ip.to_canonical() != ip {
        return Err(RangeError::Mapped(shown()));
    }
    let width = width(ip);
    let length = match length {
        None => width,
        Some(digits) => Some(digits)
            .filter(|d| !d.is_empty() && d.len() <= 3 && d.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|d| d.parse().ok())
            .filter(|length| *length <= width)
            .ok_or_else(|| RangeError::Length(shown(), width))?,
    };
    let beyond = match ip {
        IpAddr::V4(ip) => ip.to_bits() & u32::MAX.checked_shr(length).unwrap_or(0) != 0,
        IpAddr::V6(ip) => ip.to_bits() & u128::MAX.checked_shr(length).unwrap_or(0) != 0,
    };
    if beyond { Err(RangeError::HostBits(shown())) } else { Ok((ip, length)) }
}

impl std::str::FromStr for Ranges {
    type Err = RangeError;
    fn from_str(text: &str) -> Result<Self, RangeError> {
        Self::parse(text)
    }
}

impl std::fmt::Display for Ranges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (ip, length)) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            if *length == width(*ip) {
                write!(f, "{comma}{ip}")?;
            } else {
                write!(f, "{comma}{ip}/{length}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    const SPECIAL: &[(&str, &str)] = &[
        ("0.0.0.0", "this network"),
        ("0.1.2.3", "this network"),
        ("10.0.0.1", "private use"),
        ("10.255.255.255", "private use"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.127.255.255", "carrier-grade NAT"),
        ("100.100.100.200", "cloud metadata"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("168.63.129.16", "cloud metadata"),
        ("169.254.0.1", "link-local"),
        ("169.254.169.254", "cloud metadata"),
        ("169.254.170.2", "cloud metadata"),
        ("172.16.0.1", "private use"),
        ("172.31.255.255", "private use"),
        ("192.0.0.8", "IETF protocol assignments"),
        ("192.0.0.192", "cloud metadata"),
        ("192.0.2.1", "documentation"),
        ("192.31.196.1", "AS112"),
        ("192.52.193.1", "automatic multicast tunnelling"),
        ("192.88.99.1", "6to4 relay"),
        ("192.168.1.1", "private use"),
        ("192.175.48.1", "AS112"),
        ("198.18.0.1", "benchmarking"),
        ("198.19.255.255", "benchmarking"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::ffff:8.8.8.8", "IPv4-mapped"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "cloud metadata"),
        ("::ffff:0:10.0.0.1", "private use"),
        ("::ffff:0:8.8.8.8", "IPv4-translated"),
        ("::8.8.8.8", "IPv4-compatible"),
        ("::127.0.0.1", "loopback"),
        ("::10.0.0.1", "private use"),
        ("64:ff9b::8.8.8.8", "NAT64"),
        ("64:ff9b::169.254.169.254", "cloud metadata"),
        ("64:ff9b::10.0.0.1", "private use"),
        ("64:ff9b:1::8.8.8.8", "local NAT64"),
        ("64:ff9b:1:808:8:800::", "local NAT64"),
        ("64:ff9b:1:a9fe:a9:fe00::", "cloud metadata"),
        ("64:ff9b:1::169.254.169.254", "cloud metadata"),
        ("100::1", "discard-only"),
        ("100:0:0:1::1", "dummy prefix"),
        ("2001::1", "this network"),
        ("2001:0:808:808::f7f7:f7f7", "Teredo"),
        ("2001:0:808:808:0:0:80ff:fffe", "loopback"),
        ("2001:2::1", "benchmarking"),
        ("2001:1::1", "IETF protocol assignments"),
        ("2001:10::1", "ORCHID"),
        ("2001:20::1", "ORCHIDv2"),
        ("2001:30::1", "drone remote id"),
        ("2001:1ff::1", "IETF protocol assignments"),
        ("2001:db8::1", "documentation"),
        ("2002:808:808::1", "6to4"),
        ("2002:7f00:1::1", "loopback"),
        ("2002:a00:1::1", "private use"),
        ("2002:a9fe:a9fe::1", "cloud metadata"),
        ("2620:4f:8000::1", "AS112"),
        ("3ffe::1", "6bone"),
        ("3fff::1", "documentation"),
        ("5f00::1", "segment routing"),
        ("fc00::1", "unique local"),
        ("fd00::1", "unique local"),
        ("fd00:ec2::254", "cloud metadata"),
        ("fd20:ce::254", "cloud metadata"),
        ("fe80::1", "link-local"),
        ("febf::1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
        ("4000::1", "reserved, outside global unicast"),
        ("64:ff9b:2::1", "reserved, outside global unicast"),
        ("2606:4700::5efe:10.0.0.1", "private use"),
        ("2606:4700::200:5efe:127.0.0.1", "loopback"),
    ];

    #[test]
    fn special_addresses_are_named() {
        for &(address, name) in SPECIAL {
            assert_eq!(special(ip(address)).map(|s| s.name), Some(name), "{address}");
        }
    }

    #[test]
    fn ordinary_public_addresses_are_not_special() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "140.82.121.6",
            "160.79.104.10",
            "168.63.129.15",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::6810:84e5",
            "2607:6bc0::10",
            "2a00:1450::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2620:4f:8001::1",
            "3fff:1000::1",
        ] {
            assert_eq!(special(ip(address)), None, "{address}");
        }
    }

    #[test]
    fn every_block_lies_where_its_range_says() {
        for (base, length, special) in BLOCKS_4 {
            assert_eq!(special.range, format!("{base}/{length}"));
        }
        for (base, length, special) in BLOCKS_6 {
            let shown = if length == 96 && base.to_bits() >> 32 == 0xffff {
                "::ffff:0:0/96".to_owned()
            } else {
                format!("{base}/{length}")
            };
            assert_eq!(special.range, shown);
        }
        for (at, range) in METADATA_4 {
            assert_eq!(at.to_string(), range);
        }
        for (at, range) in METADATA_6 {
            assert_eq!(at.to_string(), range);
        }
    }

    #[test]
    fn ranges_name_what_lies_in_them() {
        let ranges = Ranges::parse("10.0.0.0/8, 127.0.0.1,fd00::/8,64:ff9b::/96").unwrap();
        for (address, named) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("11.0.0.0", false),
            ("fd12::1", true),
            ("fc00::1", false),
            ("64:ff9b::8.8.8.8", true),
            ("64:ff9b::10.0.0.1", true),
            ("64:ff9b::192.168.0.1", false),
        ] {
            assert_eq!(ranges.contains(ip(address)), named, "{address}");
        }
        assert!(!Ranges::default().contains(ip("127.0.0.1")));
        assert_eq!(ranges.to_string(), "10.0.0.0/8,127.0.0.1,fd00::/8,64:ff9b::/96");
    }

    #[test]
    fn metadata_is_named_by_exactly_itself_only() {
        let broad = Ranges::parse("0.0.0.0/0,::/0,169.254.169.254/31,169.254.0.0/16").unwrap();
        let exact = Ranges::parse("169.254.169.254,fd20:ce::254/128,168.63.129.16/32").unwrap();
        for address in ["169.254.169.254", "::ffff:169.254.169.254", "fd20:ce::254", "168.63.129.16"] {
            assert!(!broad.contains(ip(address)), "{address}");
            assert!(exact.contains(ip(address)), "{address}");
        }
        for carrying in ["64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1", "::169.254.169.254"] {
            assert!(!broad.contains(ip(carrying)), "{carrying}");
        }
        assert!(broad.contains(ip("10.0.0.1")) && broad.contains(ip("8.8.8.8")));
    }

    #[test]
    fn bad_ranges_are_refused_with_the_entry_named() {
        for bad in [
            "10.0.0.0/33",
            "10.0.0.1/8",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "fd00::1/8",
            "::/129",
            "10.0.0.0/8,",
            ",",
            "localhost",
            "10.0.0.0-10.0.0.9",
            "::ffff:10.0.0.1",
            "010.0.0.0/8",
            "fe80::1%eth0",
            "10.0.0.0 /8",
        ] {
            let error = Ranges::parse(bad).unwrap_err().to_string();
            assert!(error.starts_with('`'), "{bad}: {error}");
        }
        assert!(Ranges::parse(" ").unwrap().is_empty());
    }
}
