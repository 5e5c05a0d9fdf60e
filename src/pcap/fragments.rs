//! IP packets put together from their fragments (RFC 791 §3.2, RFC 8200 §4.5).

use std::collections::HashMap;
use std::net::IpAddr;

use etherparse::defrag::IpDefragBuf;
use etherparse::{IpFragOffset, Ipv6ExtensionSlice, LaxIpSlice};

/// The most packets that wait for fragments at one time: at 64 KiB each, 16 MiB. The oldest gives way.
const MOST_WAITING: usize = 256;

/// Packets that are not whole yet.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    waiting: HashMap<Key, Waiting>,
    /// Counts the packets begun, to know the oldest.
    begun: u64,
    /// Fragments given up.
    lost: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    ends: [IpAddr; 2],
    protocol: u8,
    identification: u32,
}

#[derive(Debug)]
struct Waiting {
    begun: u64,
    fragments: u64,
    buffer: IpDefragBuf,
}

impl Fragments {
    /// Adds the fragment that `ip` carries. True where that makes its packet whole: its payload then is `whole`.
    pub(super) fn add(&mut self, ip: &LaxIpSlice<'_>, payload: &[u8], whole: &mut Vec<u8>) -> bool {
        let Some((identification, offset, more)) = place(ip) else {
            self.lost += 1;
            return false;
        };
        let protocol = ip.payload_ip_number();
        let key = Key { ends: [ip.source_addr(), ip.destination_addr()], protocol: protocol.0, identification };
        if !self.waiting.contains_key(&key) && self.waiting.len() >= MOST_WAITING {
            self.give_up_oldest();
        }
        self.begun += 1;
        let begun = self.begun;
        let waiting = self.waiting.entry(key.clone()).or_insert_with(|| Waiting {
            begun,
            fragments: 0,
            buffer: IpDefragBuf::new(protocol, Vec::new(), Vec::new()),
        });
        waiting.fragments += 1;
        if waiting.buffer.add(offset, more, payload).is_err() {
            self.lost += waiting.fragments;
            self.waiting.remove(&key);
            return false;
        }
        if !waiting.buffer.is_complete() {
            return false;
        }
        match self.waiting.remove(&key) {
            Some(done) => {
                (*whole, _) = done.buffer.take_bufs();
                true
            }
            None => false,
        }
    }

    /// Fragments whose packet did not become whole, those still waiting included.
    pub(super) fn lost(&self) -> u64 {
        self.lost + self.waiting.values().map(|waiting| waiting.fragments).sum::<u64>()
    }

    fn give_up_oldest(&mut self) {
        let oldest = self.waiting.iter().min_by_key(|(_, waiting)| waiting.begun).map(|(key, _)| key.clone());
        if let Some(lost) = oldest.and_then(|key| self.waiting.remove(&key)) {
            self.lost += lost.fragments;
        }
    }
}

/// Identification, offset, and whether more follow.
fn place(ip: &LaxIpSlice<'_>) -> Option<(u32, IpFragOffset, bool)> {
    match ip {
        LaxIpSlice::Ipv4(v4) => {
            let header = v4.header();
            Some((u32::from(header.identification()), header.fragments_offset(), header.more_fragments()))
        }
        LaxIpSlice::Ipv6(v6) => v6.extensions().clone().into_iter().find_map(|extension| match extension {
            Ipv6ExtensionSlice::Fragment(header) => {
                Some((header.identification(), header.fragment_offset(), header.more_fragments()))
            }
            _ => None,
        }),
    }
}
