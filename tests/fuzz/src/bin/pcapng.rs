//! A pcapng file after a sound section header: any blocks. What the mutations of `pcap` would rarely reach.

#![no_main]

use certkit::pcap::{CaptureFile, CaptureWriter, Conversation, Format, LinkType, Side};
use certkit_fuzz::{follow, plant, target};
use time::OffsetDateTime;

target!(init: plant([seed()]), |data: &[u8]| {
    let Some((first, blocks)) = data.split_first() else { return };
    let order = if first & 1 == 0 { 0x1a2b_3c4d_u32.to_le_bytes() } else { 0x1a2b_3c4d_u32.to_be_bytes() };
    let number = |number: u32| if first & 1 == 0 { number.to_le_bytes() } else { number.to_be_bytes() };
    let version = if first & 1 == 0 { [1, 0, 0, 0] } else { [0, 1, 0, 0] };
    let header = [number(0x0a0d_0d0a), number(28), order, version, [0xff; 4], [0xff; 4], number(28)].concat();
    follow(CaptureFile::open(&*[&header, blocks].concat()).unwrap());
});

fn seed() -> Vec<u8> {
    let mut conversation =
        Conversation::new("[2001:db8::1]:50000".parse().unwrap(), "[2001:db8::2]:443".parse().unwrap());
    let mut writer = CaptureWriter::new(Vec::new(), Format::Pcapng, LinkType::ETHERNET).unwrap();
    writer.key_log(b"CLIENT_RANDOM 00 00\n").unwrap();
    for frame in conversation.open().into_iter().chain(conversation.send(Side::Responder, b"hello")) {
        writer.packet(OffsetDateTime::UNIX_EPOCH, &frame).unwrap();
    }
    [&[0][..], &writer.into_inner()[28..]].concat()
}
