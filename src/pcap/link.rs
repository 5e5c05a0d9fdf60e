//! Link types: what stands before the IP header.

use std::fmt;

/// What the bytes of a captured packet begin with: a LINKTYPE_ number of the tcpdump registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

#[allow(missing_docs)]
impl LinkType {
    pub const NULL: Self = Self(0);
    pub const ETHERNET: Self = Self(1);
    pub const PPP: Self = Self(9);
    /// DLT_RAW as some systems number it in files.
    pub const RAW_BSD: Self = Self(12);
    /// DLT_RAW as OpenBSD numbers it in files.
    pub const RAW_OPENBSD: Self = Self(14);
    pub const PPP_HDLC: Self = Self(50);
    pub const RAW: Self = Self(101);
    pub const LOOP: Self = Self(108);
    pub const LINUX_SLL: Self = Self(113);
    pub const IPV4: Self = Self(228);
    pub const IPV6: Self = Self(229);
    pub const LINUX_SLL2: Self = Self(276);
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::NULL => "BSD loopback",
            Self::ETHERNET => "Ethernet",
            Self::PPP | Self::PPP_HDLC => "PPP",
            Self::RAW | Self::RAW_BSD | Self::RAW_OPENBSD | Self::IPV4 | Self::IPV6 => "raw IP",
            Self::LOOP => "OpenBSD loopback",
            Self::LINUX_SLL => "Linux cooked",
            Self::LINUX_SLL2 => "Linux cooked v2",
            Self(105 | 119 | 127 | 163 | 192) => "IEEE 802.11",
            Self(220 | 189) => "USB",
            Self(253) => "Netlink",
            Self(number) => return write!(f, "link type {number}"),
        };
        f.write_str(name)
    }
}

/// What stands in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside<'a> {
    /// An IP packet of either version.
    Ip(&'a [u8]),
    /// Another protocol: ARP, LLDP and the like.
    Other,
    /// The frame ends within its own header.
    Cut,
    /// The link type is not read.
    UnknownLink,
}

/// How many tags, labels and other headers may stand between the link layer and IP.
const DEEPEST: usize = 8;

/// Takes the link layer off.
pub(super) fn inside(link: LinkType, frame: &[u8]) -> Inside<'_> {
    match link {
        LinkType::ETHERNET => after(frame, 12).map_or(Inside::Cut, |rest| ethertype(rest, DEEPEST)),
        LinkType::LINUX_SLL => after(frame, 14).map_or(Inside::Cut, |rest| ethertype(rest, DEEPEST)),
        LinkType::LINUX_SLL2 => match (frame.first_chunk(), after(frame, 20)) {
            (Some(kind), Some(rest)) => protocol(u16::from_be_bytes(*kind), rest, DEEPEST),
            _ => Inside::Cut,
        },
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => ip(frame),
        // The address family comes in the byte order of the machine, and has other numbers on other systems for IPv6;
        // the version is in the packet anyway.
        LinkType::NULL | LinkType::LOOP => after(frame, 4).map_or(Inside::Cut, ip),
        LinkType::PPP | LinkType::PPP_HDLC => match frame {
            // Address and control (RFC 1662 §3.1), where they are not compressed away.
            [0xff, 0x03, rest @ ..] => ppp(rest),
            rest => ppp(rest),
        },
        _ => Inside::UnknownLink,
    }
}

/// An EtherType, or the length of an IEEE 802.3 frame, and what follows.
fn ethertype(frame: &[u8], depth: usize) -> Inside<'_> {
    let Some((kind, rest)) = frame.split_first_chunk::<2>() else { return Inside::Cut };
    match (u16::from_be_bytes(*kind), rest) {
        // A length, then LLC and SNAP (RFC 1042).
        (0..=1500, [0xaa, 0xaa, 0x03, 0, 0, 0, rest @ ..]) => ethertype_within(rest, depth),
        (kind, rest) => protocol(kind, rest, depth),
    }
}

fn ethertype_within(frame: &[u8], depth: usize) -> Inside<'_> {
    if depth == 0 { Inside::Other } else { ethertype(frame, depth - 1) }
}

fn protocol(kind: u16, rest: &[u8], depth: usize) -> Inside<'_> {
    match kind {
        0x0800 | 0x86dd => ip(rest),
        // A VLAN tag (IEEE 802.1Q), which may stand in another (802.1ad).
        0x8100 | 0x88a8 | 0x9100 => after(rest, 2).map_or(Inside::Cut, |rest| ethertype_within(rest, depth)),
        0x8847 | 0x8848 => labelled(rest),
        // PPPoE, session stage (RFC 2516).
        0x8864 => after(rest, 6).map_or(Inside::Cut, ppp),
        _ => Inside::Other,
    }
}

/// MPLS labels (RFC 3032), four bytes each, the last one marked.
fn labelled(mut rest: &[u8]) -> Inside<'_> {
    for _ in 0..DEEPEST {
        let Some(([_, _, third, _], below)) = rest.split_first_chunk::<4>() else { return Inside::Cut };
        rest = below;
        if third & 1 == 1 {
            return ip(rest);
        }
    }
    Inside::Other
}

fn ppp(frame: &[u8]) -> Inside<'_> {
    match frame {
        [0x00, 0x21 | 0x57, rest @ ..] | [0x21 | 0x57, rest @ ..] => ip(rest),
        [_, _, ..] => Inside::Other,
        _ => Inside::Cut,
    }
}

fn ip(packet: &[u8]) -> Inside<'_> {
    match packet.first().map(|first| first >> 4) {
        Some(4 | 6) => Inside::Ip(packet),
        Some(_) => Inside::Other,
        None => Inside::Cut,
    }
}

fn after(frame: &[u8], header: usize) -> Option<&[u8]> {
    frame.get(header..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &[u8] = &[0x45, 1, 2, 3];

    #[track_caller]
    fn leads_to_ip(link: LinkType, header: &[u8]) {
        let frame = [header, PACKET].concat();
        assert_eq!(inside(link, &frame), Inside::Ip(PACKET));
        for end in 0..header.len() {
            assert_ne!(inside(link, &frame[..end]), Inside::Ip(PACKET), "cut after {end}");
        }
    }

    fn ethernet(rest: &[u8]) -> Vec<u8> {
        [&[2; 12], rest].concat()
    }

    #[test]
    fn every_link_layer_is_taken_off() {
        leads_to_ip(LinkType::ETHERNET, &ethernet(&[8, 0]));
        leads_to_ip(LinkType::LINUX_SLL, &[&[0; 14][..], &[8, 0]].concat());
        leads_to_ip(LinkType::LINUX_SLL2, &[&[8, 0], &[0; 18][..]].concat());
        leads_to_ip(LinkType::NULL, &[2, 0, 0, 0]);
        leads_to_ip(LinkType::LOOP, &[0, 0, 0, 2]);
        leads_to_ip(LinkType::PPP, &[0xff, 3, 0, 0x21]);
        for raw in [LinkType::RAW, LinkType::RAW_BSD, LinkType::RAW_OPENBSD, LinkType::IPV4] {
            leads_to_ip(raw, &[]);
        }
    }

    #[test]
    fn tags_and_labels_are_taken_off() {
        leads_to_ip(LinkType::ETHERNET, &ethernet(&[0x81, 0, 0, 5, 8, 0]));
        leads_to_ip(LinkType::ETHERNET, &ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]));
        leads_to_ip(LinkType::ETHERNET, &ethernet(&[0x88, 0x47, 0, 1, 0, 9, 0, 1, 1, 9]));
        leads_to_ip(LinkType::ETHERNET, &ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0, 0x21]));
        leads_to_ip(LinkType::ETHERNET, &ethernet(&[0, 40, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0]));
    }

    #[test]
    fn tags_without_end_lead_nowhere() {
        let frame = ethernet(&[0x81, 0, 0, 5].repeat(400));
        assert_eq!(inside(LinkType::ETHERNET, &frame), Inside::Other);
        assert_eq!(inside(LinkType(105), PACKET), Inside::UnknownLink);
    }
}
