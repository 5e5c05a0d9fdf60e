// Reads each PKCS#8 key and proves it to be the private half of a public key: signs with one, verifies with the other.
// Arguments: ALGORITHM PASSPHRASE PRIVATE PUBLIC for each, all DER. Prints true or false for each.
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKey;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

class Keys {
    public static void main(String[] args) throws Exception {
        for (int at = 0; at < args.length; at += 4) {
            KeyFactory factory = KeyFactory.getInstance(args[at]);
            PrivateKey key = factory.generatePrivate(open(Files.readAllBytes(Path.of(args[at + 2])), args[at + 1]));
            byte[] spki = Files.readAllBytes(Path.of(args[at + 3]));
            PublicKey expected = factory.generatePublic(new X509EncodedKeySpec(spki));
            String scheme = switch (args[at]) {
                case "RSA" -> "SHA256withRSA";
                case "EC" -> "SHA256withECDSA";
                default -> args[at];
            };
            Signature signature = Signature.getInstance(scheme);
            signature.initSign(key);
            signature.update(spki);
            byte[] signed = signature.sign();
            signature.initVerify(expected);
            signature.update(spki);
            System.out.println(signature.verify(signed));
        }
    }

    static PKCS8EncodedKeySpec open(byte[] key, String passphrase) throws Exception {
        if (passphrase.isEmpty()) {
            return new PKCS8EncodedKeySpec(key);
        }
        EncryptedPrivateKeyInfo locked = new EncryptedPrivateKeyInfo(key);
        // The name of the algorithm is in the parameters: Java calls all of PBES2 one algorithm.
        String algorithm = locked.getAlgParameters().toString();
        SecretKey secret = SecretKeyFactory.getInstance(algorithm).generateSecret(new PBEKeySpec(passphrase.toCharArray()));
        Cipher cipher = Cipher.getInstance(algorithm);
        cipher.init(Cipher.DECRYPT_MODE, secret, locked.getAlgParameters());
        return locked.getKeySpec(cipher);
    }
}
