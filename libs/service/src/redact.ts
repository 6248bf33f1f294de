const mask = "[redacted]";

const secretName = "(?:authorization|password|passphrase|secret|token|cookie|credential)";

// A property of a JSON line whose name says that it is a secret, and whose value is a string; the second form is JSON within a JSON string.
const property = new RegExp(`("[^"\\\\]*${secretName}[^"\\\\]*":)"(?:[^"\\\\]|\\\\.)*"`, "gi");
const nestedProperty = new RegExp(`(\\\\"[^"\\\\]*${secretName}[^"\\\\]*\\\\":\\s*)\\\\"[^"\\\\]*\\\\"`, "gi");
const bearer = /\b(Bearer\s+)[\w.~+/=-]+/gi;
const jwt = /\beyJ[\w-]{5,}\.[\w-]+\.[\w-]+/g;
// An API key, after what it is known by.
const apiKey = /\b(kinora_[\da-z]{8}_)[\w-]{20,}/g;
const urlPassword = /([a-z][a-z\d+.-]*:\/\/[^\s:/@"\\]*:)[^\s@/"\\]+@/gi;

// What every secret below begins with or is named. Most lines have none of it, and looking for that is all that they cost.
const suspicious = new RegExp(`${secretName}|bearer|eyJ|kinora_|://`, "i");

/** A line of the log without secrets: values of properties named like one, bearer tokens, JWTs, API keys, passwords in URLs. */
export function redact(line: string): string {
  if (!suspicious.test(line)) {
    return line;
  }
  return line
    .replace(property, `$1"${mask}"`)
    .replace(nestedProperty, `$1\\"${mask}\\"`)
    .replace(bearer, `$1${mask}`)
    .replace(jwt, mask)
    .replace(apiKey, `$1${mask}`)
    .replace(urlPassword, `$1${mask}@`);
}
