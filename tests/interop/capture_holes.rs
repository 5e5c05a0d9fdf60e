//! Recordings of which packets are taken out: certkit reads on where tshark gives up, and all that tshark reads.

use certkit::pcap::{CaptureFile, CaptureWriter, Decoded, Decoder, Format, Item, LinkType};

use super::captures::{RSA, hear_of};
use crate::support::{Sandbox, peer};

/// The capture without those packets in which the server sends something that stand at these thousandths of them all.
fn without(capture: &[u8], gone: impl Fn(usize) -> bool) -> Vec<u8> {
    // How many there are is up to how the sockets were read.
    let mut all = 0;
    sift(capture, |_| {
        all += 1;
        true
    });
    sift(capture, |number| !gone(number * 1000 / all))
}

/// The capture with the packets of the server that are wanted, by their number, and all of the client.
fn sift(capture: &[u8], mut wanted: impl FnMut(usize) -> bool) -> Vec<u8> {
    let mut file = CaptureFile::open(capture).unwrap();
    let mut writer = CaptureWriter::new(Vec::new(), Format::Pcap, LinkType::ETHERNET).unwrap();
    let mut decoder = Decoder::default();
    let mut number = 0;
    while let Some(Item::Packet(packet)) = file.next_item().unwrap() {
        let Decoded::Tcp(segment) = decoder.packet(&packet) else { panic!("{packet:?}") };
        let sends = segment.source.port() == 443 && !segment.payload.is_empty();
        number += usize::from(sends);
        if !sends || wanted(number) {
            writer.packet(packet.at, packet.bytes).unwrap();
        }
    }
    writer.into_inner()
}

#[test]
fn after_lost_packets_records_are_opened_again_in_every_version() {
    let (Some(openssl), Some(tshark)) = (peer("openssl"), peer("tshark")) else { return };
    let server = [&RSA[..], &["-WWW", "-cipher", "ALL:@SECLEVEL=0"]].concat();
    for client in [
        &["-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0"][..],
        &["-tls1_1", "-cipher", "AES256-SHA:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "AES128-SHA256"],
        &["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
        &["-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"],
        &["-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"],
    ] {
        let sandbox = Sandbox::new();
        let lines: Vec<String> = (0..20_000).map(|number| format!("{number:07} of all the lines\n")).collect();
        sandbox.write("big.txt", lines.concat());
        let heard = hear_of(&openssl, "/big.txt", sandbox, &server, &[client]);
        // Three holes: some records and a part of two, a packet or so, and a quarter of it all.
        let holey = without(&heard.capture, |place| matches!(place, 150..225 | 300..304 | 375..650));
        heard.sandbox.write("holey.pcap", &holey);
        let told = ["capture", "holey.pcap", "--key-log", "keys.txt", "--follow"];
        let ours = heard.sandbox.certkit(&told).expect_code(0);
        let ours = ours.says("records are found again").says("what follows opens").says("close_notify");
        let ours = ours.says("Finished        of both sides, checked and right");
        let read = |text: &str| -> Vec<usize> {
            let whole = text.lines().filter(|line| line.ends_with(" of all the lines"));
            whole.filter_map(|line| line.trim_start().trim_start_matches("| ").get(..7)?.parse().ok()).collect()
        };
        let ours = read(&ours.stdout);
        assert!(ours.is_sorted_by(|one, other| one < other), "{client:?}");
        let keys = format!("tls.keylog_file:{}", heard.sandbox.path("keys.txt").display());
        let follow = ["-r", "holey.pcap", "-o", &keys, "-q", "-z", "follow,tls,ascii,0"];
        let theirs = read(&heard.sandbox.peer(&tshark, &follow).expect_code(0).stdout);
        // tshark cuts a line where a record ends, and reads nothing after the first hole under most suites.
        assert!(theirs.len() > 1000 && theirs.iter().all(|line| ours.binary_search(line).is_ok()), "{client:?}");
        assert_eq!(ours.last(), Some(&19_999), "{client:?}");
        assert!(ours.len() > theirs.len() && ours.len() > 9_000, "{client:?}: {} and {}", ours.len(), theirs.len());
    }
}
