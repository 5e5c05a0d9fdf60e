//! Certificates that a server compresses (RFC 8879): with the encoders of Node's zlib and Brotli, for the clients that ask for
//! it, Chromium and curl built with BoringSSL. `capture` tells what tshark tells, and finds the certificates.

use std::process::{Command, Stdio};

use certkit::encoding::pem;
use certkit::key::PrivateKey;
use certkit::pcap::Format;
use rustls::CertificateCompressionAlgorithm;
use rustls::compress::{CertCompressor, CompressionFailed, CompressionLevel};
use serde_json::Value;

use crate::support::tap::Tap;
use crate::support::tls_server::TlsServer;
use crate::support::{Peer, Run, Sandbox, browser, peer, python, skip};

/// A method of RFC 8879 §7.3, done by a function of Node's `zlib`.
#[derive(Debug)]
struct ByNode(CertificateCompressionAlgorithm, &'static str);

static ZLIB: ByNode = ByNode(CertificateCompressionAlgorithm::Zlib, "deflateSync");
static BROTLI: ByNode = ByNode(CertificateCompressionAlgorithm::Brotli, "brotliCompressSync");

impl CertCompressor for ByNode {
    fn compress(&self, input: Vec<u8>, _: CompressionLevel) -> Result<Vec<u8>, CompressionFailed> {
        let script = format!("process.stdout.write(require('zlib').{}(require('fs').readFileSync(0)))", self.1);
        let mut node = Command::new("node");
        node.args(["-e", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = node.spawn().map_err(|_| CompressionFailed)?;
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), &input).map_err(|_| CompressionFailed)?;
        Ok(child.wait_with_output().map_err(|_| CompressionFailed)?.stdout)
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        self.0
    }
}

/// A server that compresses in this way, with everything overheard.
struct Overheard {
    sandbox: Sandbox,
    tap: Tap,
}

impl Overheard {
    fn new(compressor: &'static ByNode) -> Self {
        let sandbox = Sandbox::new();
        // An RSA key, and names enough that compressing pays.
        let names: Vec<String> = (0..40).map(|number| format!("number-{number}.certificates.example.test")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let issue = ["ca", "issue", "localhost", "--type", "rsa:2048", "--out", "cert.pem", "--keyout", "key.pem"];
        sandbox.certkit(&[&issue[..], &names].concat()).expect_code(0);
        let blocks = |file: &str| -> Vec<Vec<u8>> {
            pem::read(&sandbox.read(file)).into_iter().map(|block| block.unwrap().contents.to_vec()).collect()
        };
        let key = PrivateKey::from_pkcs8_der(&blocks("key.pem")[0]).unwrap();
        let server = TlsServer { compressors: vec![compressor], ..TlsServer::new(blocks("cert.pem"), &key) };
        Self { tap: Tap::before(server.start()), sandbox }
    }

    /// Reads what was said while a client ran, and compares it with tshark's reading.
    fn is_told(&self, client: Run, method: &str, code: u64) {
        let ran = client.env("SSLKEYLOGFILE", self.sandbox.path("keys.txt")).expect_code(0);
        assert!(ran.stdout.contains("hello"), "{ran}");
        self.sandbox.write("all.pcap", self.tap.capture(443, Format::Pcap, None));
        let ask = ["capture", "all.pcap", "--key-log", "keys.txt", "--json", "--extract-certs", "found"];
        let told = self.sandbox.certkit(&ask).expect_code(0).json();
        let events: Vec<&Value> =
            told["connections"].as_array().unwrap().iter().flat_map(|it| it["events"].as_array().unwrap()).collect();
        let message = events.iter().find(|event| event["kind"] == "CompressedCertificate").unwrap();
        let fields = &message["fields"];
        assert_eq!(fields["algorithm"]["name"], method, "{message}");
        let summary = told["connections"].as_array().unwrap().iter().map(|it| &it["summary"]);
        let whole: Vec<&Value> = summary.filter(|summary| summary["finished_verified"] == true).collect();
        assert!(!whole.is_empty() && whole.iter().all(|summary| summary["signature_holds"] == true), "{whole:?}");
        let extracted = std::fs::read_dir(self.sandbox.path("found")).unwrap().map(|file| file.unwrap().path());
        let extracted: Vec<Vec<u8>> = extracted.map(|path| std::fs::read(path).unwrap()).collect();
        let served = String::from_utf8(self.sandbox.read("cert.pem")).unwrap();
        assert!(extracted.iter().any(|file| served.contains(String::from_utf8_lossy(file).trim())), "{extracted:?}");

        let Some(tshark) = peer("tshark") else { return };
        let keys = format!("tls.keylog_file:{}", self.sandbox.path("keys.txt").display());
        let only = ["-Y", "tls.handshake.type == 25", "-T", "fields", "-E", "occurrence=f"];
        let names = ["algorithm", "uncompressed_length"].map(|name| format!("tls.compress_certificate.{name}"));
        let names: Vec<&str> = names.iter().flat_map(|name| ["-e", name]).collect();
        let args = [&["-r", "all.pcap", "-o", &keys][..], &only, &names].concat();
        let theirs = self.sandbox.peer(&tshark, &args).expect_code(0).stdout;
        let ours = format!("{code}\t{}", fields["uncompressed_length"]);
        assert!(theirs.lines().next().unwrap().starts_with(&ours), "{theirs}\n{ours}");
    }
}

#[test]
fn chromium_takes_what_is_compressed_with_brotli_and_capture_tells_it() {
    let (Some(chromium), Some(_)) = (peer("chromium"), peer("node")) else { return };
    let overheard = Overheard::new(&BROTLI);
    let sandbox = &overheard.sandbox;
    let page = format!("https://localhost:{}/", overheard.tap.port);
    let profile = format!("--user-data-dir={}", sandbox.path("profile").display());
    let keys = format!("--ssl-key-log-file={}", sandbox.path("keys.txt").display());
    let asks = ["--ignore-certificate-errors", "--dump-dom", &profile, &keys, &page];
    let client = sandbox.program(&chromium.path).args(browser::QUIET).args(asks);
    overheard.is_told(client, "brotli", 2);
}

#[test]
fn boringssl_takes_what_is_compressed_with_zlib_and_capture_tells_it() {
    let (Some(python), Some(_)) = (curl_of_boringssl(), peer("node")) else { return };
    let overheard = Overheard::new(&ZLIB);
    // Safari offers zlib, and nothing else.
    let script = "import sys; from curl_cffi import requests
print(requests.get(sys.argv[1], impersonate='safari17_0', verify=sys.argv[2], timeout=60).text)";
    let root = overheard.sandbox.ca().join("ca.pem").display().to_string();
    let page = format!("https://localhost:{}/", overheard.tap.port);
    let client = overheard.sandbox.program(&python.path).args(["-c", script, &page, &root]);
    overheard.is_told(client, "zlib", 1);
}

/// A Python with curl_cffi, which is curl with BoringSSL.
fn curl_of_boringssl() -> Option<Peer> {
    let python = python()?;
    let asked = Command::new(&python.path).args(["-c", "import curl_cffi"]).output();
    match asked {
        Ok(output) if output.status.success() => Some(python),
        _ => skip("this Python has no curl_cffi"),
    }
}
