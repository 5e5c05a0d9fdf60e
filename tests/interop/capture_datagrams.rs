//! TLS over datagrams, as OpenSSL speaks it: named, and not read.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use crate::capture::{datagram, written};
use crate::support::background::{comes_true, free_port};
use crate::support::{Sandbox, peer};

#[test]
fn dtls_is_named() {
    let Some(openssl) = peer("openssl") else { return };
    let (sandbox, asking) = (Sandbox::new(), Sandbox::new());
    let new = ["new", "--cn", "localhost", "--out", "cert.pem", "--keyout", "cert.pem"];
    sandbox.certkit(&new).expect_code(0);
    for version in ["-dtls1_2", "-dtls1"] {
        let port = free_port().to_string();
        let serve =
            ["s_server", version, "-quiet", "-accept", &port, "-cert", "cert.pem", "-cipher", "ALL:@SECLEVEL=0"];
        let _server = sandbox.start(sandbox.program(&openssl.path).args(serve));
        let ours = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let theirs = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        theirs.connect(format!("127.0.0.1:{port}")).unwrap();
        for socket in [&ours, &theirs] {
            socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        }
        let connect = ours.local_addr().unwrap().to_string();
        let ask = ["s_client", version, "-connect", &connect, "-cipher", "ALL:@SECLEVEL=0"];
        let _client = asking.start(asking.program(&openssl.path).args(ask));
        let (mut frames, mut client, mut answers) = (Vec::new(), None, 0);
        let mut buffer = [0; 2048];
        // A server that is not there yet is asked again.
        let talked = comes_true(|| {
            if let Ok((length, from)) = ours.recv_from(&mut buffer) {
                client = Some(from);
                frames.push(datagram(50_000, 4433, &buffer[..length]));
                _ = theirs.send(&buffer[..length]);
            }
            if let (Ok(length), Some(client)) = (theirs.recv(&mut buffer), client) {
                answers += 1;
                frames.push(datagram(4433, 50_000, &buffer[..length]));
                ours.send_to(&buffer[..length], client).unwrap();
            }
            answers >= 3
        });
        assert!(talked, "{version}: {} datagrams, {answers} of them answers", frames.len());
        sandbox.write("heard.pcap", written(&frames));
        let ran = sandbox.certkit(&["capture", "heard.pcap"]).expect_code(1);
        let ran = ran.says("0 TCP connections").says("1 DTLS (over UDP), which is not read");
        assert!(!ran.stdout.contains("QUIC"), "{}", ran.stdout);
        let json = sandbox.certkit(&["capture", "heard.pcap", "--json"]).expect_code(1).json();
        assert_eq!((&json["dtls_flows"], &json["quic_flows"]), (&1.into(), &0.into()));
    }
}
