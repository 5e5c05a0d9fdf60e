import java.io.FileInputStream;
import java.net.InetAddress;
import java.security.KeyStore;
import java.security.Security;
import java.util.Arrays;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

/** A server with everything that Java can still be made to speak. Arguments: port, PKCS#12 file, its passphrase. */
class OldServer {
    public static void main(String[] arguments) throws Exception {
        Security.setProperty("jdk.tls.disabledAlgorithms", "");
        Security.setProperty("jdk.tls.legacyAlgorithms", "");
        Security.setProperty("jdk.certpath.disabledAlgorithms", "");
        char[] passphrase = arguments[2].toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream file = new FileInputStream(arguments[1])) {
            store.load(file, passphrase);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, passphrase);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        SSLServerSocket server = (SSLServerSocket) context.getServerSocketFactory()
                .createServerSocket(Integer.parseInt(arguments[0]), 50, InetAddress.getLoopbackAddress());
        server.setEnabledProtocols(server.getSupportedProtocols());
        server.setEnabledCipherSuites(server.getSupportedCipherSuites());
        System.out.println("protocols " + String.join(" ", server.getEnabledProtocols()));
        System.out.println("suites " + String.join(" ", server.getEnabledCipherSuites()));
        while (true) {
            SSLSocket socket = (SSLSocket) server.accept();
            new Thread(() -> {
                try (socket) {
                    socket.startHandshake();
                } catch (Exception refused) {
                    // What a scan does is no handshake.
                }
            }).start();
        }
    }
}
