//! Every BEGIN line of a text is answered for, and what a block held is found again when it is written and read.

#![no_main]

use certkit::container::holds_private_key;
use certkit::encoding::pem;
use certkit::key::from_pem_block;
use certkit_fuzz::{hierarchy, plant, target};

target!(
    init: plant([
        pem::write("CERTIFICATE", &hierarchy::Hierarchy::usual().root).as_bytes().to_vec(),
        pem::write("EC PRIVATE KEY", b"\x30\x00").repeat(2).into_bytes(),
        b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n".to_vec(),
    ]),
    |data: &[u8]| {
        let _ = holds_private_key(data);
        let blocks = pem::read(data);
        let begun = data.split(|&octet| octet == b'\n').filter(|line| pem::looks_like_pem(line)).count();
        let beheaded = |block: &Result<_, pem::Malformed>| {
            matches!(block, Err(malformed) if malformed.fault == pem::Fault::Beheaded)
        };
        assert_eq!(blocks.iter().filter(|block| !beheaded(block)).count(), begun);
        let lines = data.split(|&octet| octet == b'\n').count();
        let mut last = 0;
        for block in &blocks {
            let line = block.as_ref().map_or_else(|malformed| malformed.line, |block| block.line);
            assert!(last < line && line <= lines, "blocks stand in order");
            last = line;
        }
        for block in blocks.into_iter().flatten() {
            let text = pem::write(&block.label, &block.contents);
            let again = pem::read(text.as_bytes()).pop().unwrap().unwrap();
            assert_eq!((again.label.as_str(), &*again.contents), (block.label.as_str(), &*block.contents));
            let key = from_pem_block(&block.label, &block.headers, &block.contents);
            // A server hands it out to nobody.
            assert!(key.is_err() || block.contents.len() < 32 || holds_private_key(text.as_bytes()));
        }
    }
);
