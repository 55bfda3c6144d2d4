//! SSHSIG signatures (OpenSSH PROTOCOL.sshsig) over manifests, decisions and commands.
//!
//! Verifying says which key signed these bytes for this namespace, and nothing about whether that key may: that is
//! `signers.rs` for providers and the accounts for people. Whatever is wrong with a signature (armor, algorithm,
//! namespace, other bytes) is one verdict for the sender; the variants are for our own people.

mod short;

use std::fmt;

use rsa::{
    BigUint, RsaPrivateKey, pkcs1v15,
    sha2::Sha512,
    signature::{SignatureEncoding, Signer},
};
use ssh_key::{
    Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, Signature, SshSig, public::KeyData,
};

use super::secret::Secret;

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
/// Characters of a line of the armor.
const LINE: usize = 70;
/// The least modulus of an RSA key, in bytes (2,048 bits).
const RSA_BYTES_MIN: usize = 256;
/// User presence: the bit that a hardware key sets when it was touched (PROTOCOL.u2f).
const TOUCHED: u8 = 1;

/// A public SSH key. Two are equal when the key is, whatever the comment.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKeyInfo(KeyData);

impl PublicKeyInfo {
    /// Reads one line of a `.pub` file: algorithm, Base64, and a comment that is not kept.
    ///
    /// # Errors
    /// [`KeyFault`] for what is no such line, for certificates, DSA, unknown algorithms and short RSA keys.
    pub fn parse(line: &str) -> Result<Self, KeyFault> {
        let key = PublicKey::from_openssh(line.trim()).map_err(|_| KeyFault::Malformed)?;
        Self::of(key.key_data().clone())
    }

    fn of(key: KeyData) -> Result<Self, KeyFault> {
        match &key {
            KeyData::Ed25519(_)
            | KeyData::Ecdsa(_)
            | KeyData::SkEd25519(_)
            | KeyData::SkEcdsaSha2NistP256(_) => Ok(Self(key)),
            KeyData::Rsa(rsa) => {
                let modulus = rsa.n.as_positive_bytes().map_or(0, <[u8]>::len);
                if modulus < RSA_BYTES_MIN { Err(KeyFault::Short) } else { Ok(Self(key)) }
            }
            _ => Err(KeyFault::Unsupported),
        }
    }

    /// The fingerprint as `ssh-keygen -l` prints it: `SHA256:` and Base64.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Algorithm and Base64, without comment.
    #[must_use]
    pub fn text(&self) -> String {
        PublicKey::from(self.0.clone()).to_openssh().unwrap_or_default()
    }
}

impl fmt::Debug for PublicKeyInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fingerprint())
    }
}

/// Why a text is no key that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not in OpenSSH's form.
    #[error("expected an OpenSSH key")]
    Malformed,
    /// Of a kind that is not accepted: DSA, certificates, unknown.
    #[error("keys of this kind are not accepted, expected ed25519, ecdsa, rsa, or a hardware key")]
    Unsupported,
    /// An RSA key under 2,048 bits.
    #[error("the RSA key is shorter than 2048 bits")]
    Short,
    /// The private key is encrypted and no passphrase was given, or another one.
    #[error("the private key is encrypted, and the passphrase does not open it")]
    Locked,
    /// The key does not sign here: hardware keys sign through an ssh-agent.
    #[error("this key cannot sign here")]
    CannotSign,
}

/// Why a signature counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigFault {
    /// No armor, no Base64, or not the fields of an SSHSIG.
    #[error("the signature is malformed")]
    Malformed,
    /// Made for another namespace.
    #[error("the signature is for another namespace")]
    Namespace,
    /// The signing key is of a kind that is not accepted.
    #[error("the signing key is not accepted")]
    Key(#[source] KeyFault),
    /// Not over these bytes by this key, or by a hardware key that nobody touched.
    #[error("the signature is not over these bytes")]
    OtherBytes,
}

/// Which key signed `message` for `namespace`.
///
/// # Errors
/// [`SigFault`]; every one of them means `bad-signature`.
pub fn verify(armored: &[u8], message: &[u8], namespace: &str) -> Result<PublicKeyInfo, SigFault> {
    let armored = rearmor(armored).ok_or(SigFault::Malformed)?;
    let signature = SshSig::from_pem(&armored).map_err(|_| SigFault::Malformed)?;
    // The decoder does not hold nested lengths against each other. What it would write itself is the one form; of
    // hardware ECDSA keys it writes another one than OpenSSH does.
    let hardware_ecdsa = matches!(signature.public_key(), KeyData::SkEcdsaSha2NistP256(_));
    let same = signature.to_pem(LineEnding::LF).is_ok_and(|again| again.trim() == armored.trim());
    if signature.version() != SshSig::VERSION || !(same || hardware_ecdsa) {
        return Err(SigFault::Malformed);
    }
    if signature.namespace() != namespace {
        return Err(SigFault::Namespace);
    }
    let key = PublicKeyInfo::of(signature.public_key().clone()).map_err(SigFault::Key)?;
    if matches!(key.0, KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_)) {
        // The last five bytes are flags and counter.
        let flags = signature.signature_bytes().iter().rev().nth(4).copied().unwrap_or(0);
        if flags & TOUCHED == 0 {
            return Err(SigFault::OtherBytes);
        }
    }
    PublicKey::from(key.0.clone())
        .verify(namespace, message, &signature)
        .map_err(|_| SigFault::OtherBytes)?;
    Ok(key)
}

/// Whether a signature stands in the one armor that this program and OpenSSH write. [`verify`] reads others too, which
/// differ in white space that nobody signed.
#[must_use]
pub fn is_as_written(armored: &[u8]) -> bool {
    rearmor(armored).is_some_and(|written| written.as_bytes() == armored)
}

/// The armor with lines of one length, which the decoder insists on and OpenSSH does not: as OpenSSH reads it, the
/// first line is at the very start, the Base64 is broken anywhere, and only white space comes after the last line.
fn rearmor(armored: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(armored).ok()?;
    let (body, after) = text.strip_prefix(BEGIN)?.split_once(END)?;
    if !body.starts_with(['\n', '\r']) || !body.ends_with('\n') || !after.trim().is_empty() {
        return None;
    }
    let mut lines = String::with_capacity(text.len() + 80);
    lines.push_str(BEGIN);
    for (count, c) in body.chars().filter(|c| !c.is_ascii_whitespace()).enumerate() {
        if count % LINE == 0 {
            lines.push('\n');
        }
        lines.push(c);
    }
    lines.push('\n');
    lines.push_str(END);
    lines.push('\n');
    Some(lines)
}

/// A private SSH key that can sign; overwritten when dropped.
pub struct SigningKey(PrivateKey);

impl SigningKey {
    /// Reads an OpenSSH private key file.
    ///
    /// # Errors
    /// [`KeyFault`].
    pub fn parse(file: &Secret, passphrase: Option<&Secret>) -> Result<Self, KeyFault> {
        let key = PrivateKey::from_openssh(file.expose()).ok();
        let key = key.or_else(|| short::plain(file.expose())).ok_or(KeyFault::Malformed)?;
        let key = match (key.is_encrypted(), passphrase) {
            (false, _) => key,
            (true, Some(passphrase)) => {
                let open = key.decrypt(passphrase.expose()).ok();
                let open = open.or_else(|| short::encrypted(&key, passphrase.expose()));
                open.ok_or(KeyFault::Locked)?
            }
            (true, None) => return Err(KeyFault::Locked),
        };
        PublicKeyInfo::of(key.public_key().key_data().clone())?;
        Ok(Self(key))
    }

    /// The Ed25519 key of 32 secret bytes: the register key, which also signs checkpoints.
    ///
    /// # Errors
    /// [`KeyFault::Malformed`] for another length.
    pub fn from_seed(seed: &Secret) -> Result<Self, KeyFault> {
        let seed: &[u8; 32] = seed.expose().try_into().map_err(|_| KeyFault::Malformed)?;
        Ok(Self(PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(seed))))
    }

    /// The key as an OpenSSH private key file.
    ///
    /// # Errors
    /// [`KeyFault::Malformed`] where it cannot be written so.
    pub fn to_file(&self) -> Result<Secret, KeyFault> {
        let text = self.0.to_openssh(LineEnding::LF).map_err(|_| KeyFault::Malformed)?;
        Ok(Secret::new(text.as_bytes().to_vec()))
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKeyInfo {
        PublicKeyInfo(self.0.public_key().key_data().clone())
    }

    /// An armored signature over `message`, as `ssh-keygen -Y sign -n NAMESPACE` makes it.
    ///
    /// # Errors
    /// [`KeyFault::CannotSign`].
    pub fn sign(&self, namespace: &str, message: &[u8]) -> Result<String, KeyFault> {
        if matches!(self.0.algorithm(), Algorithm::Rsa { .. }) {
            return rsa_sign(&self.0, namespace, message);
        }
        self.0
            .sign(namespace, HashAlg::Sha512, message)
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .map_err(|_| KeyFault::CannotSign)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.public())
    }
}

/// RSA with SHA-512 (RFC 8332), from the key's own numbers.
fn rsa_sign(key: &PrivateKey, namespace: &str, message: &[u8]) -> Result<String, KeyFault> {
    let pair = key.key_data().rsa().ok_or(KeyFault::CannotSign)?;
    let number = |mpint: &ssh_key::Mpint| mpint.as_positive_bytes().map(BigUint::from_bytes_be);
    let parts = (
        number(&pair.public.n),
        number(&pair.public.e),
        number(&pair.private.d),
        number(&pair.private.p),
        number(&pair.private.q),
    );
    let (Some(n), Some(e), Some(d), Some(p), Some(q)) = parts else {
        return Err(KeyFault::Malformed);
    };
    let private =
        RsaPrivateKey::from_components(n, e, d, vec![p, q]).map_err(|_| KeyFault::Malformed)?;
    let cannot = |_| KeyFault::CannotSign;
    let signed = SshSig::signed_data(namespace, HashAlg::Sha512, message).map_err(cannot)?;
    let bytes = pkcs1v15::SigningKey::<Sha512>::new(private)
        .try_sign(&signed)
        .map_err(|_| KeyFault::CannotSign)?
        .to_vec();
    let algorithm = Algorithm::Rsa { hash: Some(HashAlg::Sha512) };
    Signature::new(algorithm, bytes)
        .and_then(|raw| {
            SshSig::new(key.public_key().key_data().clone(), namespace, HashAlg::Sha512, raw)
        })
        .and_then(|signature| signature.to_pem(LineEnding::LF))
        .map_err(cannot)
}

#[cfg(test)]
pub(crate) mod tests;
