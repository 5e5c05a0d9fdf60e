//! A capture file of any octets: every packet that comes out is decoded and followed, in bounded memory.

#![no_main]

use certkit::pcap::{CaptureFile, CaptureWriter, Conversation, Format, LinkType, Side};
use certkit_fuzz::{follow, plant, target};
use time::OffsetDateTime;

target!(init: plant([seed()]), |data: &[u8]| {
    if let Ok(file) = CaptureFile::open(data) {
        follow(file);
    }
});

fn seed() -> Vec<u8> {
    let mut conversation = Conversation::new("192.0.2.1:50000".parse().unwrap(), "192.0.2.2:443".parse().unwrap());
    let mut frames = conversation.open();
    frames.extend(conversation.send(Side::Initiator, b"hello"));
    frames.extend(conversation.send(Side::Responder, b"world"));
    frames.extend(conversation.close(Side::Initiator));
    let mut writer = CaptureWriter::new(Vec::new(), Format::Pcap, LinkType::ETHERNET).unwrap();
    for frame in frames {
        writer.packet(OffsetDateTime::UNIX_EPOCH, &frame).unwrap();
    }
    writer.into_inner()
}
