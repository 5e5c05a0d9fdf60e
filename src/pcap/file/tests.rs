//! Both formats, both byte orders, and what is wrong with files.

use super::*;

/// Writes numbers in one byte order.
#[derive(Clone, Copy)]
struct Order {
    little: bool,
}

const BOTH: [Order; 2] = [Order { little: true }, Order { little: false }];

impl Order {
    fn n2(self, number: u16) -> Vec<u8> {
        if self.little { number.to_le_bytes() } else { number.to_be_bytes() }.to_vec()
    }

    fn n4(self, number: u32) -> Vec<u8> {
        if self.little { number.to_le_bytes() } else { number.to_be_bytes() }.to_vec()
    }

    fn pcap(self, magic: u32) -> Vec<u8> {
        [self.n4(magic), self.n2(2), self.n2(4), vec![0; 8], self.n4(65535), self.n4(1)].concat()
    }

    fn record(self, seconds: u32, fraction: u32, bytes: &[u8]) -> Vec<u8> {
        let length = self.n4(bytes.len() as u32);
        [self.n4(seconds), self.n4(fraction), length.clone(), length, bytes.to_vec()].concat()
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let length = self.n4(padded as u32 + 12);
        [self.n4(kind), length.clone(), body.to_vec(), vec![0; padded - body.len()], length].concat()
    }

    fn section(self) -> Vec<u8> {
        self.block(0x0a0d_0d0a, &[self.n4(0x1a2b_3c4d), self.n2(1), self.n2(0), vec![0xff; 8]].concat())
    }

    fn interface(self, link: u16, options: &[u8]) -> Vec<u8> {
        self.block(1, &[self.n2(link), self.n2(0), self.n4(0), options.to_vec()].concat())
    }

    fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
        [self.n2(code), self.n2(value.len() as u16), value.to_vec(), padding].concat()
    }

    fn enhanced(self, interface: u32, time: u64, bytes: &[u8]) -> Vec<u8> {
        let length = self.n4(bytes.len() as u32);
        let times = [self.n4((time >> 32) as u32), self.n4(time as u32)].concat();
        self.block(6, &[self.n4(interface), times, length.clone(), length, bytes.to_vec()].concat())
    }
}

type Read = (Vec<(i128, u16, Vec<u8>)>, Vec<Vec<u8>>, Option<Damage>);

fn read(bytes: &[u8]) -> Read {
    let mut file = CaptureFile::open(bytes).unwrap();
    let (mut packets, mut keys) = (Vec::new(), Vec::new());
    while let Some(item) = file.next_item().unwrap() {
        match item {
            Item::Packet(packet) => {
                packets.push((packet.at.unix_timestamp_nanos(), packet.link.0, packet.bytes.to_vec()));
            }
            Item::KeyLog(lines) => keys.push(lines.to_vec()),
        }
    }
    (packets, keys, file.damage().cloned())
}

#[test]
fn pcap_of_both_orders_and_units_is_read() {
    for order in BOTH {
        for (magic, unit) in [(0xa1b2_c3d4, 1000), (0xa1b2_3c4d, 1)] {
            let file = [order.pcap(magic), order.record(9, 7, b"one"), order.record(10, 0, b"")].concat();
            let time = 9_000_000_000 + 7 * unit;
            let wanted = vec![(time, 1, b"one".to_vec()), (10_000_000_000, 1, Vec::new())];
            assert_eq!(read(&file), (wanted, vec![], None));
        }
    }
}

#[test]
fn a_file_cut_anywhere_gives_what_was_there() {
    for order in BOTH {
        let pcap = [order.pcap(0xa1b2_c3d4), order.record(1, 0, b"one"), order.record(2, 0, b"two")].concat();
        for end in 24..pcap.len() {
            let (packets, _, damage) = read(&pcap[..end]);
            assert_eq!((packets.len(), damage.is_none()), (usize::from(end >= 43), end == 24 || end == 43), "{end}");
        }
        let begin = [order.section(), order.interface(1, &[])].concat();
        let block = order.enhanced(0, 1, b"one");
        let pcapng = [begin.clone(), block.clone(), block.clone()].concat();
        for end in 28..pcapng.len() {
            let (packets, _, damage) = read(&pcapng[..end]);
            let whole = [28, begin.len(), begin.len() + block.len()].contains(&end);
            assert_eq!(
                (packets.len(), damage.is_none()),
                (usize::from(end >= begin.len() + block.len()), whole),
                "{end}"
            );
        }
        for end in 0..24 {
            assert!(CaptureFile::open(&pcap[..end]).is_err() && CaptureFile::open(&pcapng[..end]).is_err());
        }
    }
}

#[test]
fn times_have_the_resolution_and_the_offset_of_their_interface() {
    for order in BOTH {
        let offset = if order.little { 5_i64.to_le_bytes() } else { 5_i64.to_be_bytes() };
        let options = |resolution| {
            [order.option(2, b"name"), order.option(9, &[resolution]), order.option(14, &offset), order.option(0, &[])]
                .concat()
        };
        for (resolution, units, nanoseconds) in [
            (9, 1_000_000_007, 1_000_000_007),
            (3, 1001, 1_001_000_000),
            (0x80 | 10, 1536, 1_500_000_000),
            (12, 1_000_000_000_999, 1_000_000_000),
            (6, 7, 7000),
        ] {
            let file =
                [order.section(), order.interface(1, &options(resolution)), order.enhanced(0, units, b"x")].concat();
            assert_eq!(read(&file).0[0].0, nanoseconds + 5_000_000_000, "{resolution}");
        }
        // Impossible ones are survived.
        for resolution in [0x7f, 0xff] {
            let file =
                [order.section(), order.interface(1, &options(resolution)), order.enhanced(0, u64::MAX, b"x")].concat();
            assert_eq!(read(&file).0.len(), 1);
        }
    }
}

#[test]
fn sections_and_interfaces_are_told_apart() {
    let [little, big] = BOTH;
    let file = [
        little.section(),
        little.interface(1, &[]),
        little.interface(101, &[]),
        little.enhanced(1, 0, b"raw"),
        little.enhanced(0, 0, b"ethernet"),
        big.section(),
        big.interface(113, &[]),
        big.enhanced(0, 0, b"cooked"),
        big.enhanced(1, 0, b"of no interface"),
    ];
    let (packets, _, damage) = read(&file.concat());
    let links: Vec<u16> = packets.iter().map(|(_, link, _)| *link).collect();
    assert_eq!((links, damage), (vec![101, 1, 113], None));
}

#[test]
fn other_blocks_are_passed_over_and_secrets_kept() {
    for order in BOTH {
        let secrets = |kind: u32, data: &[u8]| {
            order.block(10, &[order.n4(kind), order.n4(data.len() as u32), data.to_vec()].concat())
        };
        let old = [order.n2(0), order.n2(0), order.n4(0), order.n4(8), order.n4(3), order.n4(3), b"old".to_vec()];
        let file = [
            order.section(),
            order.interface(1, &[]),
            order.block(0x0bad, &[1; 999]),
            secrets(0x544c_534b, b"CLIENT_RANDOM"),
            secrets(0x5747_4b4c, b"WireGuard"),
            order.enhanced(0, 7, b"one"),
            order.block(3, &[order.n4(6), b"simple".to_vec()].concat()),
            order.block(2, &old.concat()),
            order.block(5, &[]),
        ];
        let (packets, keys, damage) = read(&file.concat());
        assert_eq!(
            packets.iter().map(|(at, _, bytes)| (*at, &bytes[..])).collect::<Vec<_>>(),
            [(7000, &b"one"[..]), (7000, b"simple"), (8000, b"old"),]
        );
        assert_eq!((keys, damage), (vec![b"CLIENT_RANDOM".to_vec()], None));
    }
}

#[test]
fn impossible_lengths_end_the_reading_with_a_word() {
    for order in BOTH {
        let huge = [order.n4(1), order.n4(0), order.n4(u32::MAX), order.n4(0)].concat();
        let file = [order.pcap(0xa1b2_c3d4), order.record(1, 0, b"one"), huge].concat();
        let (packets, _, damage) = read(&file);
        assert_eq!((packets.len(), matches!(damage, Some(Damage::Broken { at: 43, .. }))), (1, true));
        for length in [0, 4, 11, 13] {
            let file = [order.section(), order.n4(99), order.n4(length), vec![0; 64]].concat();
            assert!(matches!(read(&file).2, Some(Damage::Broken { at: 28, .. })), "{length}");
        }
        // A packet longer than its block is passed over.
        let lies = order.block(6, &[order.n4(0), order.n4(0), order.n4(0), order.n4(400), order.n4(400)].concat());
        let file = [order.section(), order.interface(1, &[]), lies, order.enhanced(0, 1, b"x")].concat();
        assert_eq!(read(&file).0.len(), 1);
    }
}

#[test]
fn what_is_no_capture_is_named() {
    let why = |bytes: &[u8]| CaptureFile::open(bytes).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(why(b""), "it is empty");
    assert_eq!(why(b"hello world"), "it is neither pcap nor pcapng");
    assert_eq!(why(b"\x1f\x8b\x08\x00abc"), "it is compressed with gzip");
    assert!(why(b"-----BEGIN CERTIFICATE-----").starts_with("it is PEM"));
    let [little, _] = BOTH;
    let mut old = little.pcap(0xa1b2_c3d4);
    old[4] = 1;
    assert_eq!(why(&old), "it is pcap of version 1.4, which is not read");
    let mut new = little.section();
    new[12] = 2;
    assert_eq!(why(&new), "it is pcapng of version 2.0, which is not read");
}
