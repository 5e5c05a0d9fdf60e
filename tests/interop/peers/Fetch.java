// As fetch.py, by Java; no client certificates.
import java.io.FileInputStream;
import java.io.IOException;
import java.net.URL;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

class Fetch {
    public static void main(String[] args) throws Exception {
        for (int at = 0; at < args.length; at += 3) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            try (FileInputStream roots = new FileInputStream(args[at])) {
                int count = 0;
                for (Certificate root : CertificateFactory.getInstance("X.509").generateCertificates(roots)) {
                    store.setCertificateEntry("root " + count++, root);
                }
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            try {
                HttpsURLConnection connection = (HttpsURLConnection) new URL(args[at + 1]).openConnection();
                connection.setSSLSocketFactory(context.getSocketFactory());
                connection.setConnectTimeout(20000);
                connection.setReadTimeout(20000);
                String page = new String(connection.getInputStream().readAllBytes());
                System.out.println(page.strip().replace('\n', ' '));
            } catch (IOException error) {
                System.out.println("refused: " + error.toString().replace('\n', ' '));
            }
        }
    }
}
