//! By what a member is known outside: normalised, so that the same person is found however the till writes it.

use crate::id::{CallerId, MemberId, caller_id, member_id};
use crate::json::{Faults, Json, Object, Path, text};

/// The kinds of identities. Each is unique in a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// The shop's own number for the customer.
    ExternalId,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// The number of a card.
    CardNumber,
}

impl IdentityKind {
    /// Every kind.
    pub const ALL: [IdentityKind; 4] =
        [IdentityKind::ExternalId, IdentityKind::Email, IdentityKind::Phone, IdentityKind::CardNumber];

    /// The name of its field.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            IdentityKind::ExternalId => "external_id",
            IdentityKind::Email => "email",
            IdentityKind::Phone => "phone",
            IdentityKind::CardNumber => "card_number",
        }
    }
}

/// One identity, normalised.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Of what kind.
    pub kind: IdentityKind,
    /// Normalised: E.164, lower-case e-mail.
    pub value: String,
}

impl std::fmt::Debug for Identity {
    /// Personal data stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.word())
    }
}

/// How a request names a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By our id.
    Member(MemberId),
    /// By an identity.
    Identity(Identity),
}

impl Reference {
    /// The bytes that stand for it in a digest: kind and normalised value.
    #[must_use]
    pub fn digest_input(&self) -> String {
        match self {
            Reference::Member(member) => format!("member_id\0{member}"),
            Reference::Identity(identity) => format!("{}\0{}", identity.kind.word(), identity.value),
        }
    }
}

/// Reads a member reference: an object with exactly one of the ways to name a member.
pub fn reference(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Reference> {
    let mut object = Object::new(json, at, faults)?;
    let before = faults.list().len();
    let member = object.optional("member_id", faults, member_id).map(Reference::Member);
    let email = object.optional("email", faults, email);
    let phone = object.optional("phone", faults, phone);
    let card = object.optional("card_number", faults, card_number);
    let external = object.optional("external_id", faults, external_id);
    object.finish(faults);
    let mut named: Vec<Reference> =
        [email, phone, card, external].into_iter().flatten().map(Reference::Identity).collect();
    named.extend(member);
    match <[Reference; 1]>::try_from(named) {
        Ok([reference]) => Some(reference),
        Err(_) => {
            if faults.list().len() == before {
                faults.malformed(at, "must have exactly one of: member_id, phone, email, card_number, external_id");
            }
            None
        }
    }
}

/// Reads a telephone number of E.164: a plus and 7 to 15 digits, the first not 0.
pub fn phone(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Identity> {
    let value = text(json, at, faults)?;
    let digits = value.strip_prefix('+').unwrap_or("");
    let fits =
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if !fits {
        faults.malformed(at, "must be a telephone number of E.164, like +4915112345678");
        return None;
    }
    Some(Identity { kind: IdentityKind::Phone, value: value.to_owned() })
}

/// Reads an e-mail address: what is plausible, in lower case.
pub fn email(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Identity> {
    let value = text(json, at, faults)?;
    let plausible = value.rsplit_once('@').is_some_and(|(local, domain)| {
        let odd = |c: char| {
            crate::id::is_unprintable(c)
                || c.is_whitespace()
                || matches!(c, '@' | '<' | '>' | '(' | ')' | ',' | ';' | '"')
        };
        (1..=64).contains(&local.len())
            && (3..=190).contains(&domain.len())
            && !local.contains(odd)
            && !domain.contains(odd)
            && domain.contains('.')
            && !domain.starts_with(['.', '-'])
            && !domain.ends_with(['.', '-'])
            && !domain.contains("..")
    });
    if !plausible {
        faults.malformed(at, "must be an e-mail address");
        return None;
    }
    Some(Identity { kind: IdentityKind::Email, value: value.to_lowercase() })
}

/// Reads a card number.
pub fn card_number(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Identity> {
    caller_id(json, at, faults).map(|id| identity_of(IdentityKind::CardNumber, &id))
}

/// Reads an external id.
pub fn external_id(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Identity> {
    caller_id(json, at, faults).map(|id| identity_of(IdentityKind::ExternalId, &id))
}

/// The identity that an id of that kind is.
#[must_use]
pub fn identity_of(kind: IdentityKind, id: &CallerId) -> Identity {
    Identity { kind, value: id.as_str().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn read(text: &str) -> Result<Reference, Vec<String>> {
        let json = parse(text.as_bytes()).unwrap();
        let mut faults = Faults::default();
        let value = reference(&json, &Path::ROOT, &mut faults);
        faults.settle(value).map_err(|f| f.list().iter().map(|f| f.pointer.clone()).collect())
    }

    #[test]
    fn a_member_is_named_in_exactly_one_way() {
        assert!(read(r#"{"phone":"+4915112345678"}"#).is_ok());
        assert_eq!(read(r#"{}"#), Err(vec![String::new()]));
        assert_eq!(read(r#"{"phone":"+4915112345678","email":"a@b.de"}"#), Err(vec![String::new()]));
        assert_eq!(read(r#"{"phone":"0151"}"#), Err(vec!["/phone".to_owned()]));
        assert_eq!(read(r#"{"name":"x"}"#), Err(vec!["/name".to_owned()]));
    }

    #[test]
    fn addresses_are_compared_in_lower_case() {
        assert_eq!(read(r#"{"email":"Ada@Example.COM"}"#), read(r#"{"email":"ada@example.com"}"#));
        for bad in ["ada", "@x.de", "a@b", "a b@c.de", "a@.de", "a@b..de", "a@b.de\\u0000"] {
            assert!(read(&format!(r#"{{"email":"{bad}"}}"#)).is_err(), "{bad}");
        }
    }
}
