//! Certification requests: ours read by others, theirs signed by our CA.

use super::live::issued;
use crate::support::{Ran, Sandbox, peer, post_quantum_python, python};

#[test]
fn openssl_python_and_gnutls_read_our_requests_and_find_them_signed_by_their_key() {
    let (Some(openssl), Some(certtool), Some(python)) = (peer("openssl"), peer("certtool"), post_quantum_python())
    else {
        return;
    };
    let sandbox = Sandbox::new();
    let script = r#"
import sys
from cryptography import x509
for file in sys.argv[1:]:
    request = x509.load_pem_x509_csr(open(file, "rb").read())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    print(request.is_signature_valid, request.subject.rfc4514_string(), *names.get_values_for_type(x509.DNSName))
"#;
    let mut files = Vec::new();
    for kind in ["p256", "p384", "p521", "rsa:2048", "ed25519", "ml-dsa-65"] {
        let file = format!("{}.csr", kind.replace(':', ""));
        sandbox
            .certkit(&["csr", "new", "app.test", "--subject", "CN=app.test,O=A\\, B", "--type", kind, "--out", &file])
            .expect_code(0);
        files.push(file);
    }
    // Bits of the signature of a copy are changed: what is past the subject stays.
    let mut changed = pem_contents(&sandbox, "p256.csr");
    *changed.last_mut().unwrap() ^= 1;
    sandbox.write("changed.csr", certkit::encoding::pem::write("CERTIFICATE REQUEST", &changed).as_bytes());

    files.push("changed.csr".to_owned());
    let ran = sandbox.program(&python.path).args(["-W", "ignore", "-c", script]).args(&files).expect_code(0);
    let (right, wrong) = ("True CN=app.test,O=A\\, B app.test\n", "False CN=app.test,O=A\\, B app.test\n");
    assert_eq!(ran.stdout, right.repeat(6) + wrong);
    for file in files.iter().filter(|file| *file != "ml-dsa-65.csr") {
        let good = file != "changed.csr";
        // Its exit status is 0 whatever it finds.
        let verify = ["req", "-in", file, "-verify", "-noout", "-subject"];
        let said = sandbox.peer(&openssl, &verify).complains(if good { "verify OK" } else { "verify failure" });
        assert!(!good || said.stdout.contains("O = \"A, B\""), "{said}");
        let said = sandbox.peer(&certtool, &["--crq-info", "--infile", file]);
        assert_eq!(said.stdout.contains("Self signature: verified"), good, "{said}");
    }
}

fn pem_contents(sandbox: &Sandbox, file: &str) -> Vec<u8> {
    certkit::encoding::pem::read(&sandbox.read(file)).remove(0).unwrap().contents.to_vec()
}

/// Signs a request, and has openssl find the certificate good for the name, by its key, and bad for another name.
fn signed(sandbox: &Sandbox, file: &str, purpose: &str, name: &str) -> Ran {
    let out = format!("{file}.pem");
    let ran = sandbox.certkit(&["ca", "sign", file, "--out", &out, "--json"]).expect_code(0);
    sandbox.certkit(&["key", "match", file, &out]).expect_code(0);
    let fixed = ["verify", "-x509_strict", "-CAfile", "ca.pem", "-purpose", purpose, "-verify_hostname"];
    sandbox.program("openssl").args(fixed).args([name, &out]).expect_code(0);
    sandbox.program("openssl").args(fixed).args(["other.test", &out]).expect_code(2).complains("hostname mismatch");
    ran
}

#[test]
fn the_ca_signs_the_requests_of_openssl_python_java_and_gnutls() {
    let (Some(_), Some(certtool), Some(python), Some(_)) =
        (peer("openssl"), peer("certtool"), python(), peer("keytool"))
    else {
        return;
    };
    let sandbox = issued(&[]);
    sandbox
        .shell(
            "set -e; exec 2>/dev/null
             make() { openssl req -new -nodes -keyout key.pem -subj '/O=Example/CN=app.test' -addext subjectAltName=DNS:app.test \"$@\"; }
             make -newkey ec -pkeyopt ec_paramgen_curve:P-256 -out openssl-p256.csr
             make -newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha256 -out openssl-p384-sha256.csr
             make -newkey ec -pkeyopt ec_paramgen_curve:P-521 -sha384 -out openssl-p521-sha384.csr
             make -newkey rsa:2048 -out openssl-rsa.csr
             make -newkey rsa:2048 -sigopt rsa_padding_mode:pss -sha384 -out openssl-pss.csr
             make -newkey ed25519 -out openssl-ed25519.csr
             make -newkey ec -pkeyopt ec_paramgen_curve:P-256 -outform DER -out openssl-der.csr
             for type in 'EC -groupname secp384r1' 'RSA -keysize 2048'; do
                 name=keytool-${type%% *}
                 keytool -J-XX:TieredStopAtLevel=1 -genkeypair -keystore $name.p12 -storepass changeit -alias a -keyalg $type -dname CN=app.test
                 keytool -J-XX:TieredStopAtLevel=1 -certreq -keystore $name.p12 -storepass changeit -alias a -ext san=dns:app.test -file $name.csr
             done",
        )
        .expect_code(0);
    let script = r#"
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
def write(name, key, digest):
    builder = x509.CertificateSigningRequestBuilder(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "app.test")]))
    names = x509.SubjectAlternativeName([x509.DNSName("app.test")])
    request = builder.add_extension(names, critical=False).add_extension(x509.OCSPNoCheck(), critical=False)
    open(name, "wb").write(request.sign(key, digest).public_bytes(s.Encoding.PEM))
write("python-p256.csr", ec.generate_private_key(ec.SECP256R1()), hashes.SHA512())
write("python-ed25519.csr", ed25519.Ed25519PrivateKey.generate(), None)
"#;
    sandbox.peer(&python, &["-W", "ignore", "-c", script]).expect_code(0);
    sandbox.write("template", "cn = app.test\ndns_name = app.test\norganization = Example\ntls_www_server\n");
    for (name, kind) in [("gnutls-p256.csr", "--key-type=ecdsa"), ("gnutls-ed25519.csr", "--key-type=ed25519")] {
        sandbox.peer(&certtool, &["--generate-privkey", kind, "--outfile", "key.pem"]).expect_code(0);
        let request = ["--generate-request", "--load-privkey", "key.pem", "--template", "template", "--outfile", name];
        sandbox.peer(&certtool, &request).expect_code(0);
    }
    let files: Vec<String> = sandbox.listing().into_iter().filter(|file| file.ends_with(".csr")).collect();
    assert_eq!(files.len(), 13, "{files:?}");
    for file in files {
        let ran = signed(&sandbox, &file, "sslserver", "app.test");
        assert_eq!(ran.json()["names"], serde_json::json!(["dns:app.test"]), "{file}: {ran}");
    }
}

#[test]
fn a_request_that_was_changed_or_asks_to_be_a_ca_is_refused() {
    let Some(_) = peer("openssl") else { return };
    let sandbox = issued(&[]);
    sandbox
        .shell(
            "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -subj /CN=app.test \
             -addext subjectAltName=DNS:app.test -outform DER -out sound.csr 2>/dev/null
             openssl req -new -key key.pem -subj /CN=app.test -addext basicConstraints=critical,CA:TRUE -out ca.csr",
        )
        .expect_code(0);
    let sound = sandbox.read("sound.csr");
    let host = sound.windows(8).rposition(|at| at == b"app.test").unwrap();
    let mut changed = sound.clone();
    changed[host..host + 8].copy_from_slice(b"bad.test");
    sandbox.write("changed.csr", changed);
    for (file, why) in [("changed.csr", "signature"), ("ca.csr", "CA")] {
        let ran = sandbox.certkit(&["ca", "sign", file]).expect_code(1);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(why), "{ran}");
    }
    assert!(!sandbox.listing().iter().any(|file| file == "changed.pem" || file == "ca.csr.pem"));
    sandbox.certkit(&["ca", "sign", "sound.csr", "--out", "sound.pem"]).expect_code(0);
}
