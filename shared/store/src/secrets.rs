//! Keyed hashes: identities and request keys stand in the table only as these.

use hmac::{Hmac, Mac};
use loyalty_domain::identity::{Identity, Reference};
use sha2::Sha256;
use std::fmt::Write as _;

/// The secrets behind the hashes of identities, the newest first. All are honoured; rotation adds one in front.
#[derive(Clone)]
pub struct Secrets(Vec<Vec<u8>>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    /// Takes the newest secret and older ones that are still in use.
    #[must_use]
    pub fn new(newest: &[u8], older: &[&[u8]]) -> Self {
        Self(std::iter::once(newest).chain(older.iter().copied()).map(<[u8]>::to_vec).collect())
    }

    fn under(secret: &[u8], purpose: &str, text: &str) -> [u8; 32] {
        // HMAC takes keys of any length, so there is no other case.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; 32] };
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn newest(&self, purpose: &str, text: &str) -> [u8; 32] {
        Self::under(self.0.first().map_or(&[], Vec::as_slice), purpose, text)
    }

    /// The hashes of an identity under every secret in use, the newest first; 128 bits each, in hex.
    #[must_use]
    pub fn identity(&self, identity: &Identity) -> Vec<String> {
        let hash = |secret: &Vec<u8>| hex(&Self::under(secret, identity.kind.word(), &identity.value));
        self.0.iter().map(hash).collect()
    }

    /// A digest of how a request named a member, under the oldest secret, so that rotation keeps retries recognisable.
    #[must_use]
    pub fn reference(&self, reference: &Reference) -> [u8; 16] {
        let oldest = self.0.last().map_or(&[][..], Vec::as_slice);
        half(&Self::under(oldest, "reference", &reference.digest_input()))
    }

    /// The hash of a caller's request key.
    #[must_use]
    pub fn request(&self, actor: &str, key: &str) -> String {
        let oldest = self.0.last().map_or(&[][..], Vec::as_slice);
        hex(&Self::under(oldest, "request", &format!("{}#{actor}#{key}", actor.len())))
    }

    /// The hash of a caller, for counters.
    #[must_use]
    pub fn caller(&self, actor: &str) -> String {
        hex(&self.newest("caller", actor))
    }

    /// A digest of a body.
    #[must_use]
    pub fn content(&self, body: &str) -> [u8; 16] {
        let oldest = self.0.last().map_or(&[][..], Vec::as_slice);
        half(&Self::under(oldest, "content", body))
    }
}

fn half(hash: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(hash) {
        *to = *from;
    }
    half
}

fn hex(hash: &[u8; 32]) -> String {
    let mut text = String::with_capacity(32);
    for byte in hash.iter().take(16) {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}
