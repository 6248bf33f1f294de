import { CallError, callOpenly } from "./calls.js";

/** @typedef {import("./calls.js").Tokens} Tokens */
/** @typedef {{ tokens?: Tokens, user?: { email: string }, checkToken?: string, needed?: string[] }} Answer */

const session = "user.v1.SessionService";

/**
 * Asks who it is, until a login is complete.
 * @param {HTMLFormElement} form
 * @param {object} on
 * @param {(tokens: Tokens) => void} on.done
 * @param {(message: string) => void} on.fault a sentence for the person; empty when it is over
 */
export function startSignIn(form, { done, fault }) {
  let checkToken = "";

  /** @param {string} name */
  const input = (name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  /** @param {string} name */
  const button = (name) => /** @type {HTMLButtonElement} */ (form.elements.namedItem(name));

  /** @param {"password" | "code"} step */
  function show(step) {
    for (const part of form.querySelectorAll("[data-step]")) {
      const element = /** @type {HTMLElement} */ (part);
      element.hidden = element.dataset.step !== step;
    }
    for (const name of ["email", "password"]) input(name).required = step === "password";
    input("code").required = step === "code";
    input("code").value = "";
    (step === "code" ? input("code") : input("email").value === "" ? input("email") : input("password")).focus();
  }

  /** @param {Answer} answer */
  function take(answer) {
    if (answer.tokens !== undefined) {
      form.reset();
      checkToken = "";
      show("password");
      done(answer.tokens);
      return;
    }
    checkToken = answer.checkToken ?? "";
    button("second-passkey").hidden = !hasPasskeys() || !(answer.needed ?? []).includes("FACTOR_PASSKEY");
    show("code");
  }

  /** @param {() => Promise<Answer>} ask */
  async function attempt(ask) {
    fault("");
    setBusy(true);
    try {
      take(await ask());
    } catch (error) {
      setBusy(false);
      fault(error instanceof CallError ? error.message : passkeyFault(error));
      if (error instanceof CallError && /has ended/.test(error.message)) show("password");
    }
    setBusy(false);
  }

  /** @param {boolean} busy */
  function setBusy(busy) {
    for (const element of form.querySelectorAll("button")) element.disabled = busy;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const code = input("code").value.replace(/\s/g, "");
    void attempt(() =>
      checkToken === ""
        ? callOpenly(`${session}/CreateSession`, {
            email: input("email").value.trim(),
            password: input("password").value,
          })
        : callOpenly(`${session}/AddCheck`, {
            checkToken,
            check: /^\d{6}$/.test(code) ? { totpCode: code } : { recoveryCode: code },
          }),
    );
  });
  button("back").addEventListener("click", () => {
    checkToken = "";
    fault("");
    show("password");
  });
  button("passkey").hidden = !hasPasskeys();
  button("passkey").addEventListener("click", () => {
    void attempt(async () => callOpenly(`${session}/CreateSession`, { passkey: await askPasskey("") }));
  });
  button("second-passkey").addEventListener("click", () => {
    void attempt(async () =>
      callOpenly(`${session}/AddCheck`, { checkToken, check: { passkey: await askPasskey(checkToken) } }),
    );
  });
  show("password");
}

/** Browsers have passkeys for pages over TLS, and of this machine. */
function hasPasskeys() {
  return isSecureContext && typeof PublicKeyCredential?.parseRequestOptionsFromJSON === "function";
}

/**
 * Has the browser's authenticator answer a challenge.
 * @param {string} checkToken of the login that it is a second factor of; empty for a login by itself
 */
async function askPasskey(checkToken) {
  const { challengeId, optionsJson } = await callOpenly(`${session}/CreatePasskeyChallenge`, { checkToken });
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(optionsJson));
  const credential = /** @type {PublicKeyCredential} */ (await navigator.credentials.get({ publicKey }));
  return { challengeId, responseJson: JSON.stringify(credential.toJSON()) };
}

/** @param {unknown} error of the browser's */
function passkeyFault(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "No passkey was used. Try again, or sign in with your password.";
  return "The browser could not use a passkey. Sign in with your password.";
}
