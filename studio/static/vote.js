// Signs a ballot in the browser, as ssh-keygen -Y sign does, with a key file that never leaves it: it is read into memory, used by
// WebCrypto and forgotten; what is sent is the signature. Formats: PROTOCOL.key, PROTOCOL.sshsig, RFC 8410.
"use strict";
(() => {
  const form = document.getElementById("sign");
  if (!form) return;
  const d = form.dataset, said = document.getElementById("signed"), bytes = (s) => new TextEncoder().encode(s);

  // Reader takes apart what OpenSSH writes: numbers and strings with their length before them (RFC 4251 section 5).
  class Reader {
    constructor(raw) { this.raw = raw; this.at = 0; }
    take(n) {
      if (n > this.raw.length - this.at) throw new Error(d.noKey);
      this.at += n;
      return this.raw.subarray(this.at - n, this.at);
    }
    number() { const b = this.take(4); return ((b[0] << 24) | (b[1] << 16) | (b[2] << 8) | b[3]) >>> 0; }
    string() { return this.take(this.number()); }
    text() { return new TextDecoder().decode(this.string()); }
  }

  function join(...parts) {
    const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
    let at = 0;
    for (const p of parts) { out.set(p, at); at += p.length; }
    return out;
  }
  const number = (n) => new Uint8Array([n >>> 24, n >>> 16, n >>> 8, n]);
  const string = (raw) => join(number(raw.length), raw);
  const base64 = (raw) => btoa(Array.from(raw, (b) => String.fromCharCode(b)).join(""));

  // unlocked reads an OpenSSH key file without a passphrase: its seed and its public key.
  function unlocked(file) {
    const begin = "-----BEGIN OPENSSH PRIVATE KEY-----", end = "-----END OPENSSH PRIVATE KEY-----";
    const text = new TextDecoder().decode(file);
    const from = text.indexOf(begin), to = text.indexOf(end);
    if (from < 0 || to < from) throw new Error(/ENCRYPTED/.test(text) ? d.encrypted : d.noKey);
    let raw;
    try {
      raw = Uint8Array.from(atob(text.slice(from + begin.length, to).replace(/\s/g, "")), (c) => c.charCodeAt(0));
    } catch { throw new Error(d.noKey); }
    const r = new Reader(raw);
    if (new TextDecoder().decode(r.take(15)) !== "openssh-key-v1\0") throw new Error(d.noKey);
    const cipher = r.text(), kdf = r.text();
    r.string();
    if (cipher !== "none" || kdf !== "none") throw new Error(d.encrypted);
    if (r.number() !== 1) throw new Error(d.noKey);
    const open = new Reader(r.string());
    if (open.text() !== "ssh-ed25519") throw new Error(d.noEd25519);
    const key = open.string(), inner = new Reader(r.string());
    if (inner.number() !== inner.number() || inner.text() !== "ssh-ed25519") throw new Error(d.noKey);
    const again = inner.string(), both = inner.string();
    if (key.length !== 32 || both.length !== 64 || again.some((b, i) => b !== key[i]) || key.some((b, i) => b !== both[32 + i]))
      throw new Error(d.noKey);
    const out = { seed: both.slice(0, 32), key: key.slice() };
    raw.fill(0);
    return out;
  }

  // signature is what ssh-keygen -Y sign writes over a message.
  async function signature(file, message, namespace) {
    const { seed, key } = unlocked(file);
    const pkcs8 = join(new Uint8Array([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]), seed);
    seed.fill(0);
    let secret, open;
    try {
      secret = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
      open = await crypto.subtle.importKey("raw", key, "Ed25519", true, ["verify"]);
    } catch { throw new Error(d.noBrowser); } finally { pkcs8.fill(0); }
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-512", message));
    const what = [string(bytes(namespace)), string(new Uint8Array()), string(bytes("sha512"))];
    const over = join(bytes("SSHSIG"), ...what, string(hash));
    const sig = new Uint8Array(await crypto.subtle.sign("Ed25519", secret, over));
    if (!await crypto.subtle.verify("Ed25519", open, sig, over)) throw new Error(d.noKey);
    const algorithm = string(bytes("ssh-ed25519"));
    const blob = join(bytes("SSHSIG"), number(1), string(join(algorithm, string(key))), ...what, string(join(algorithm, string(sig))));
    return "-----BEGIN SSH SIGNATURE-----\n" + base64(blob).replace(/.{1,70}/g, "$&\n") + "-----END SSH SIGNATURE-----\n";
  }

  // statement is the text of a ballot that is not for the motion, or of the reason of one that is (policy/ballot).
  function statement(choice, reason) {
    if (/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(reason)) throw new Error(d.badReason);
    const about = `City: ${d.city}\nMotion: ${d.motion}\nText: sha256:${d.sum}\n`, because = reason ? `Reason: ${reason}\n` : "";
    if (choice === "for") return `Sluice reason, format 1\n\n${about}${because}`;
    return `Sluice ballot, format 1\n\n${about}Choice: ${choice}\n${because}`;
  }

  function tell(text, links = []) {
    const p = document.createElement("p");
    p.textContent = text;
    for (const [name, raw] of links) {
      const a = document.createElement("a");
      a.href = URL.createObjectURL(new Blob([raw]));
      a.download = a.textContent = name;
      p.append(" ", a);
    }
    said.replaceChildren(p);
  }

  // ask is fetch, of which the browser's own words are English.
  const ask = (address, how) => fetch(address, how).catch(() => { throw new Error(d.gone); });

  async function sign() {
    if (!globalThis.crypto || !crypto.subtle) throw new Error(d.noBrowser);
    const input = document.getElementById("key"), chosen = input.files[0];
    if (!chosen) throw new Error(d.noFile);
    if (chosen.size > 65536) throw new Error(d.noKey);
    const file = new Uint8Array(await chosen.arrayBuffer());
    input.value = "";
    const text = new Uint8Array(await (await ask(d.text)).arrayBuffer());
    const sum = Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", text)), (b) => b.toString(16).padStart(2, "0")).join("");
    if (sum !== d.sum) throw new Error(d.changed);
    const choice = form.elements.choice.value, reason = document.getElementById("why").value.trim();
    const body = new FormData(), files = [];
    try {
      if (choice === "for") files.push(["motion.txt.sig", await signature(file, text, d.vote)]);
      if (choice !== "for" || reason) {
        const said = statement(choice, reason);
        files.push([choice + ".txt", said], [choice + ".txt.sig", await signature(file, bytes(said), d.statement)]);
      }
    } finally { file.fill(0); }
    for (const [name, raw] of files) body.append("files", new Blob([raw]), name);
    const answer = await ask(d.ballot, { method: "POST", body });
    if (!answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const why = page.querySelector("#files-err:not(:empty), main h1 + p");
      throw new Error(d.refused + " " + (why?.textContent ?? ""));
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["standing", "votes"]) {
      const now = page.getElementById(id), was = document.getElementById(id);
      if (now && was) was.replaceWith(now);
    }
    form.reset();
    tell(d.done, files);
  }

  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try { await sign(); } catch (err) { tell(err.message); } finally { button.disabled = false; }
  });
  form.hidden = false;
})();
