import java.io.FileInputStream;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import java.security.cert.*;
import java.util.*;

/** Judges each chain with Java's PKIX validator; an answer a line. Arguments: LEAF INTERMEDIATES ROOTS for each; INTERMEDIATES may be "". */
public class Judge {
    static final CertificateFactory FACTORY = factory();

    public static void main(String[] arguments) throws Exception {
        for (int at = 0; at + 2 < arguments.length; at += 3) {
            List<X509Certificate> chain = new ArrayList<>(load(arguments[at]).subList(0, 1));
            if (!arguments[at + 1].isEmpty()) chain.addAll(load(arguments[at + 1]));
            X509Certificate root = load(arguments[at + 2]).get(0);
            chain.removeIf(root::equals);
            PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
            parameters.setRevocationEnabled(false);
            try {
                CertPathValidator.getInstance("PKIX").validate(FACTORY.generateCertPath(chain), parameters);
                System.out.println("accepted");
            } catch (CertPathValidatorException error) {
                System.out.println("refused: " + error.getMessage());
            }
        }
    }

    static List<X509Certificate> load(String file) throws Exception {
        try (InputStream stream = new FileInputStream(file)) {
            List<X509Certificate> found = new ArrayList<>();
            for (Certificate certificate : FACTORY.generateCertificates(stream)) found.add((X509Certificate) certificate);
            return found;
        }
    }

    static CertificateFactory factory() {
        try {
            return CertificateFactory.getInstance("X.509");
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }
}
