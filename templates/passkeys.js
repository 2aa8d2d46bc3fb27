// Passkeys: fetches a challenge, asks the browser for what it wants, and sends the answer as an ordinary form.
// The texts are in the page.
(() => {
  "use strict";

  /** How long a challenge that nobody answers is kept, in milliseconds: less than the server keeps it. */
  const RENEW = 4 * 60 * 1000;
  /** How often it is renewed on a page that stays open. */
  const MOST = 30;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join(""))
      .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const ids = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

  /** What the server wants, as browsers take it. */
  async function begin(form) {
    const response = await fetch(form.dataset.begin, { method: "POST", headers: { accept: "application/json" } });
    if ((response.status === 401 || response.status === 403) && form.dataset.again) {
      location.assign(form.dataset.again);
      return new Promise(() => {});
    }
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { publicKey } = await response.json();
    const wanted = { ...publicKey, challenge: bytes(publicKey.challenge) };
    if (publicKey.user) wanted.user = { ...publicKey.user, id: bytes(publicKey.user.id) };
    if (publicKey.excludeCredentials) wanted.excludeCredentials = ids(publicKey.excludeCredentials);
    if (publicKey.allowCredentials) wanted.allowCredentials = ids(publicKey.allowCredentials);
    return wanted;
  }

  /** Sends what the browser made or found. */
  function send(form, credential) {
    const { response } = credential;
    const answer = { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: {} };
    for (const name of ["attestationObject", "authenticatorData", "clientDataJSON", "signature", "userHandle"]) {
      if (response[name]) answer.response[name] = text(response[name]);
    }
    form.elements.credential.value = JSON.stringify(answer);
    form.submit();
  }

  /** Why nothing came of it, beside the button. */
  function tell(form, error) {
    const { cancelled, failed, known } = form.dataset;
    const what = { NotAllowedError: cancelled, AbortError: cancelled, InvalidStateError: known }[error.name];
    document.getElementById("passkey-status").textContent = what ?? failed;
  }

  /** Lets a button of a form ask for a passkey. */
  function onPress(form, ask) {
    const button = document.getElementById("passkey");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      document.getElementById("passkey-status").textContent = "";
      try {
        send(form, await ask());
      } catch (error) {
        tell(form, error);
        button.disabled = false;
        button.focus();
      }
    });
    form.hidden = false;
  }

  /** Adding a passkey. */
  function adding(form) {
    onPress(form, async () => navigator.credentials.create({ publicKey: await begin(form) }));
  }

  /** Signing in with one. */
  function entering(form) {
    let waiting = new AbortController();
    onPress(form, async () => {
      // A browser asks for one thing at a time.
      waiting?.abort();
      waiting = null;
      return navigator.credentials.get({ publicKey: await begin(form) });
    });
    offer(form, () => waiting, (next) => { waiting = next; });
  }

  /** Offers passkeys in the list below the field for the name, where the browser can. */
  async function offer(form, current, replace) {
    if (!document.querySelector('input[autocomplete~="webauthn"]')) return;
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    for (let turn = 0; turn < MOST && current(); turn += 1) {
      const controller = new AbortController();
      replace(controller);
      const timer = setTimeout(() => controller.abort(), RENEW);
      try {
        const publicKey = await begin(form);
        if (current() !== controller) return;
        send(form, await navigator.credentials.get({ publicKey, mediation: "conditional", signal: controller.signal }));
        return;
      } catch {
        // Renewed after its time; otherwise the button and the password are there.
        if (!controller.signal.aborted) return;
      } finally {
        clearTimeout(timer);
      }
    }
  }

  const [add, enter] = ["add-form", "passkey-form"].map((id) => document.getElementById(id));
  if (!window.PublicKeyCredential || !navigator.credentials) {
    const unsupported = document.getElementById("passkey-unsupported");
    if (unsupported) unsupported.hidden = false;
    return;
  }
  if (add) adding(add);
  if (enter) entering(enter);
})();
