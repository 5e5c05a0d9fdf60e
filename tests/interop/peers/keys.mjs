// As keys.py, by Node; FORM is pem, der or jwk.
import crypto from "node:crypto";
import fs from "node:fs";

const pin = (key) => {
  const spki = crypto.createPublicKey(key).export({ type: "spki", format: "der" });
  return crypto.createHash("sha256").update(spki).digest("base64");
};

const [, , what, ...rest] = process.argv;
if (what === "read") {
  for (let at = 0; at < rest.length; at += 3) {
    const [form, passphrase, file] = rest.slice(at, at + 3);
    const bytes = fs.readFileSync(file);
    const key = form === "jwk" ? JSON.parse(bytes) : bytes;
    console.log(pin(crypto.createPrivateKey({ key, format: form, type: "pkcs8", passphrase: passphrase || undefined })));
  }
} else {
  const make = crypto.generateKeyPairSync;
  const keys = {
    p256: make("ec", { namedCurve: "P-256" }),
    p384: make("ec", { namedCurve: "P-384" }),
    p521: make("ec", { namedCurve: "P-521" }),
    rsa: make("rsa", { modulusLength: 2048 }),
    ed25519: make("ed25519"),
  };
  for (const [name, { privateKey }] of Object.entries(keys)) {
    const lock = { cipher: "aes-256-cbc", passphrase: "x" };
    const own = { rsa: "pkcs1", ed25519: "pkcs8" }[name] ?? "sec1";
    const forms = {
      "pkcs8.plain": { type: "pkcs8", format: "pem" },
      "pkcs8.der.plain": { type: "pkcs8", format: "der" },
      "pkcs8.locked": { type: "pkcs8", format: "pem", ...lock },
      "pkcs8.der.locked": { type: "pkcs8", format: "der", ...lock },
      "own.plain": { type: own, format: "pem" },
      "own.der.plain": { type: own, format: "der" },
      "jwk.plain": { format: "jwk" },
    };
    for (const [form, options] of Object.entries(forms)) {
      const bytes = privateKey.export(options);
      const file = `${rest[0]}/${name}.${form}`;
      fs.writeFileSync(file, options.format === "jwk" ? JSON.stringify(bytes) : bytes);
      console.log(file, pin(privateKey));
    }
  }
}
