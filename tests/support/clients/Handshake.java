// For every folder a handshake in memory: Java's own client and a server that shows whatever it has.
import java.io.*;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import javax.net.ssl.*;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;

public class Handshake {
    static class Shows extends X509ExtendedKeyManager {
        final X509Certificate[] chain;
        final PrivateKey key;
        Shows(X509Certificate[] chain, PrivateKey key) { this.chain = chain; this.key = key; }
        boolean fits(String type) {
            return type.equals(key.getAlgorithm()) || type.startsWith("EC") && key.getAlgorithm().equals("EC")
                || type.startsWith("EdDSA") && key.getAlgorithm().startsWith("Ed");
        }
        public String chooseEngineServerAlias(String type, Principal[] issuers, SSLEngine engine) { return fits(type) ? "it" : null; }
        public String[] getClientAliases(String type, Principal[] issuers) { return null; }
        public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) { return null; }
        public String[] getServerAliases(String type, Principal[] issuers) { return new String[] {"it"}; }
        public String chooseServerAlias(String type, Principal[] issuers, Socket socket) { return "it"; }
        public X509Certificate[] getCertificateChain(String alias) { return chain; }
        public PrivateKey getPrivateKey(String alias) { return key; }
    }

    static List<X509Certificate> certificates(Path file) throws Exception {
        List<X509Certificate> found = new ArrayList<>();
        try (InputStream in = Files.newInputStream(file)) {
            for (var one : CertificateFactory.getInstance("X.509").generateCertificates(in)) found.add((X509Certificate) one);
        }
        return found;
    }

    static PrivateKey key(Path file) throws Exception {
        String text = Files.readString(file).replaceAll("-----.*-----|\\s", "");
        var spec = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text));
        for (String kind : List.of("EC", "RSA", "Ed25519")) {
            try { return KeyFactory.getInstance(kind).generatePrivate(spec); } catch (GeneralSecurityException next) { }
        }
        return null;
    }

    static String ask(Path folder) throws Exception {
        PrivateKey key = key(folder.resolve("key.pem"));
        if (key == null) return "- no such key";
        List<X509Certificate> chain, roots;
        try {
            chain = certificates(folder.resolve("chain.pem"));
            roots = certificates(folder.resolve("root.pem"));
        } catch (CertificateException why) {
            return "no " + why;
        }
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry("root", roots.get(0));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext ours = SSLContext.getInstance("TLS"), theirs = SSLContext.getInstance("TLS");
        ours.init(null, trust.getTrustManagers(), null);
        theirs.init(new KeyManager[] {new Shows(chain.toArray(new X509Certificate[0]), key)}, null, null);
        SSLEngine client = ours.createSSLEngine(Files.readString(folder.resolve("host")), 443);
        client.setUseClientMode(true);
        SSLParameters parameters = client.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        client.setSSLParameters(parameters);
        SSLEngine server = theirs.createSSLEngine();
        server.setUseClientMode(false);
        ByteBuffer up = ByteBuffer.allocate(1 << 16), down = ByteBuffer.allocate(1 << 16);
        client.beginHandshake();
        server.beginHandshake();
        for (int turn = 0; turn < 50; turn++) {
            try {
                step(client, down, up);
            } catch (SSLException why) {
                return "no " + why.getMessage();
            }
            if (client.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING) return "yes";
            try {
                step(server, up, down);
            } catch (SSLException why) {
                return "- the server: " + why.getMessage();
            }
        }
        return "- no end";
    }

    static void step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
        ByteBuffer data = ByteBuffer.allocate(1 << 16);
        for (int turn = 0; turn < 50; turn++) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK:
                    for (Runnable task; (task = engine.getDelegatedTask()) != null; ) task.run();
                    break;
                case NEED_WRAP:
                    engine.wrap(ByteBuffer.allocate(0), out);
                    break;
                case NEED_UNWRAP:
                    in.flip();
                    boolean some = in.hasRemaining();
                    if (some) engine.unwrap(in, data);
                    in.compact();
                    if (!some) return;
                    break;
                default:
                    return;
            }
        }
    }

    public static void main(String[] args) throws Exception {
        List<Path> folders = new ArrayList<>();
        try (var all = Files.list(Path.of("."))) { all.filter(path -> path.getFileName().toString().matches("\\d+")).forEach(folders::add); }
        Collections.sort(folders);
        for (Path folder : folders) {
            String answer;
            try { answer = ask(folder); } catch (Exception why) { answer = "no " + why; }
            System.out.println(folder.getFileName() + " " + answer.replace('\n', ' '));
        }
    }
}
