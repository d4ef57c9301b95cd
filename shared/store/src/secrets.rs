//! Keyed hashes: identities, request keys and voucher codes stand in the table only as these.

use hmac::{Hmac, Mac};
use loyalty_domain::id::RedemptionId;
use loyalty_domain::identity::{Identity, Reference};
use loyalty_domain::voucher::Code;
use sha2::Sha256;
use std::fmt::Write as _;

/// The secrets behind the hashes of identities, and those behind voucher codes; of both the newest first. All are honoured;
/// rotation adds one in front.
#[derive(Clone)]
pub struct Secrets {
    identities: Vec<Vec<u8>>,
    vouchers: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({}, {})", self.identities.len(), self.vouchers.len())
    }
}

impl Secrets {
    /// Takes the secrets of identities and those of vouchers, the newest first. A voucher remembers its secret by its
    /// number, counted from the oldest, so that secrets of vouchers are only ever added.
    #[must_use]
    pub fn new(identities: &[&[u8]], vouchers: &[&[u8]]) -> Self {
        let own = |secrets: &[&[u8]]| secrets.iter().map(|secret| secret.to_vec()).collect();
        Self { identities: own(identities), vouchers: own(vouchers) }
    }

    /// The number of the newest secret of vouchers.
    #[must_use]
    pub fn voucher_key(&self) -> u32 {
        u32::try_from(self.vouchers.len()).unwrap_or(u32::MAX)
    }

    fn voucher_secret(&self, key: u32) -> &[u8] {
        let from_oldest = usize::try_from(key).unwrap_or(0).checked_sub(1);
        from_oldest.and_then(|place| self.vouchers.iter().rev().nth(place)).map_or(&[], Vec::as_slice)
    }

    /// The code of a redemption's voucher, under the secret of that number.
    #[must_use]
    pub fn code(&self, redemption: RedemptionId, key: u32) -> Code {
        let hash = Self::under(self.voucher_secret(key), "voucher", &redemption.to_string());
        let mut bytes = [0; 10];
        for (to, from) in bytes.iter_mut().zip(hash) {
            *to = from;
        }
        Code::new(bytes)
    }

    /// The hash under which a voucher of that secret stands.
    #[must_use]
    pub fn voucher(&self, code: &Code, key: u32) -> String {
        hex(&Self::under(self.voucher_secret(key), "code", &code.to_string()))
    }

    /// The numbers of all secrets of vouchers, the newest first.
    pub fn voucher_keys(&self) -> impl Iterator<Item = u32> + use<> {
        (1..=self.voucher_key()).rev()
    }

    /// The id of the redemption that a caller's request key makes: the same whenever it is sent.
    #[must_use]
    pub fn redemption(&self, actor: &str, key: &str) -> RedemptionId {
        let oldest = self.identities.last().map_or(&[][..], Vec::as_slice);
        let hash = Self::under(oldest, "redemption", &format!("{}#{actor}#{key}", actor.len()));
        RedemptionId::new(ulid::Ulid::from_bytes(half(&hash)))
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
        Self::under(self.identities.first().map_or(&[], Vec::as_slice), purpose, text)
    }

    /// The hashes of an identity under every secret in use, the newest first; 128 bits each, in hex.
    #[must_use]
    pub fn identity(&self, identity: &Identity) -> Vec<String> {
        let hash = |secret: &Vec<u8>| hex(&Self::under(secret, identity.kind.word(), &identity.value));
        self.identities.iter().map(hash).collect()
    }

    /// A digest of how a request named a member, under the oldest secret, so that rotation keeps retries recognisable.
    #[must_use]
    pub fn reference(&self, reference: &Reference) -> [u8; 16] {
        let oldest = self.identities.last().map_or(&[][..], Vec::as_slice);
        half(&Self::under(oldest, "reference", &reference.digest_input()))
    }

    /// The hash of a caller's request key.
    #[must_use]
    pub fn request(&self, actor: &str, key: &str) -> String {
        let oldest = self.identities.last().map_or(&[][..], Vec::as_slice);
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
        let oldest = self.identities.last().map_or(&[][..], Vec::as_slice);
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
