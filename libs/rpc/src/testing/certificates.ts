import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A certificate and its key, in PEM form. */
export type Identity = { key: string; cert: string };

/** Signs certificates for the names and addresses of this machine. */
export type CertificateAuthority = { ca: string; issue(name: string): Identity };

// The few forms of DER that a certificate takes (ITU-T X.690; RFC 5280, section 4.1).
const tag = { integer: 2, bitString: 3, octetString: 4, oid: 6, utf8: 12, time: 23, sequence: 0x30, set: 0x31 };

function der(type: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  // The shortest form is the only right one.
  const prefix = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([type, ...prefix]), content]);
}

const sequence = (...parts: Uint8Array[]): Buffer => der(tag.sequence, ...parts);
const oid = (hex: string): Buffer => der(tag.oid, Buffer.from(hex, "hex"));
const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));
const commonName = (name: string): Buffer =>
  sequence(der(tag.set, sequence(oid("550403"), der(tag.utf8, Buffer.from(name)))));

function time(milliseconds: number): Buffer {
  const text = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, "");
  return der(tag.time, Buffer.from(text.slice(2)));
}

function certificate(subject: string, subjectKey: KeyObject, issuer: string, issuerKey: KeyObject): string {
  const isAuthority = subject === issuer;
  const day = 24 * 60 * 60_000;
  const extension = isAuthority
    ? // basicConstraints, critical: a certificate authority.
      sequence(oid("551d13"), Buffer.from([1, 1, 255]), der(tag.octetString, sequence(Buffer.from([1, 1, 255]))))
    : // subjectAltName: its own name, "localhost", 127.0.0.1.
      sequence(
        oid("551d11"),
        der(
          tag.octetString,
          sequence(
            der(0x82, Buffer.from(subject)),
            der(0x82, Buffer.from("localhost")),
            der(0x87, Buffer.from([127, 0, 0, 1])),
          ),
        ),
      );
  const body = sequence(
    der(0xa0, der(tag.integer, Buffer.from([2]))),
    der(tag.integer, Buffer.from([1]), randomBytes(8)),
    ecdsaWithSha256,
    commonName(issuer),
    sequence(time(Date.now() - day), time(Date.now() + day)),
    commonName(subject),
    subjectKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(extension)),
  );
  const signature = der(tag.bitString, Buffer.from([0]), sign("sha256", body, issuerKey));
  const base64 = sequence(body, ecdsaWithSha256, signature).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g)?.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** Makes an authority of its own, whose certificates are good for a day. */
export function createCertificateAuthority(name = "test authority"): CertificateAuthority {
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    ca: certificate(name, authority.publicKey, name, authority.privateKey),
    issue(subject) {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      return {
        key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
        cert: certificate(subject, publicKey, name, authority.privateKey),
      };
    },
  };
}
