let at = 0;
let text = "";

/** The time, as HTTP writes it; made once a second. */
export function httpDate(): string {
  const now = Date.now();
  if (now - at >= 1000 || now < at) {
    at = now - (now % 1000);
    text = new Date(now).toUTCString();
  }
  return text;
}
