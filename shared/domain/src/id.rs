//! Names of things: our own ids, and the ids and labels that callers give.

use crate::json::{Faults, Json, Path, text};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use ulid::Ulid;

/// Text that is not the id it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an id of this kind")]
pub struct NotAnId;

macro_rules! own_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(#[serde(with = "ulid_bits")] Ulid);

        impl $name {
            /// The id with these bits.
            #[must_use]
            pub const fn new(ulid: Ulid) -> Self {
                Self(ulid)
            }

            /// The bits behind the prefix.
            #[must_use]
            pub const fn ulid(self) -> Ulid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            /// Reads the one canonical spelling: prefix and 26 upper-case symbols.
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let ulid = text.strip_prefix($prefix).ok_or(NotAnId)?;
                let id = Self(Ulid::from_string(ulid).map_err(|_| NotAnId)?);
                if id.to_string() == text { Ok(id) } else { Err(NotAnId) }
            }
        }
    };
}

own_id!(
    /// An enrolled member.
    MemberId, "mbr_"
);
own_id!(
    /// A ledger entry.
    EntryId, "ent_"
);
own_id!(
    /// A member's claim on a reward.
    RedemptionId, "red_"
);

mod ulid_bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use ulid::Ulid;

    pub(super) fn serialize<S: Serializer>(ulid: &Ulid, serializer: S) -> Result<S::Ok, S::Error> {
        ulid.to_bytes().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ulid, D::Error> {
        <[u8; 16]>::deserialize(deserializer).map(Ulid::from_bytes)
    }
}

/// An id that a caller gives: 1–64 characters of `A-Z a-z 0-9 . _ : -`, but not `.` or `..`, so that it can stand in a
/// path. Also the form of the ids inside a program (rules, rewards, levels) and of program ids themselves.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallerId(String);

/// A loyalty program of this deployment.
pub type ProgramId = CallerId;
/// An earning rule of a program.
pub type RuleId = CallerId;
/// A tier level of a program.
pub type LevelId = CallerId;
/// A reward of a program.
pub type RewardId = CallerId;

impl CallerId {
    /// The id as sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CallerId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(allowed) && text != "." && text != "..";
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAnId) }
    }
}

impl fmt::Display for CallerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CallerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A name that a caller gives to a product, category, tag or store: 1–64 printable characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Label(String);

impl Label {
    /// The label as sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let count = text.chars().take(65).count();
        if (1..=64).contains(&count) && !text.chars().any(is_unprintable) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnId)
        }
    }
}

/// Whether a character cannot be seen, or turns round those beside it: controls, line separators, marks of direction and
/// spaces of no width. The joiners that scripts and emoji need are none of these.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}')
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Reads an id given by a caller.
pub fn caller_id(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<CallerId> {
    let id = text(json, at, faults)?.parse().ok();
    if id.is_none() {
        faults.malformed(at, "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -, and not . or ..");
    }
    id
}

/// Reads a label.
pub fn label(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Label> {
    let label = text(json, at, faults)?.parse().ok();
    if label.is_none() {
        faults.malformed(at, "must be 1 to 64 printable characters");
    }
    label
}

/// Reads a member id.
pub fn member_id(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<MemberId> {
    let id = text(json, at, faults)?.parse().ok();
    if id.is_none() {
        faults.malformed(at, "must be mbr_ and 26 characters");
    }
    id
}

/// Reads a redemption id.
pub fn redemption_id(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<RedemptionId> {
    let id = text(json, at, faults)?.parse().ok();
    if id.is_none() {
        faults.malformed(at, "must be red_ and 26 characters");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_ids_have_one_spelling() {
        let id = MemberId::new(Ulid::from_parts(0xABCDEF, 2));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_lowercase().parse::<MemberId>(), Err(NotAnId));
        assert_eq!("ent_0000000ANF0000000000000002".parse::<MemberId>(), Err(NotAnId));
        assert_eq!("mbr_80000000000000000000000000".parse::<MemberId>(), Err(NotAnId));
    }

    #[test]
    fn caller_ids_can_stand_in_a_path_and_in_a_key() {
        for good in ["A-1", "a.b_c:d", "...", &"x".repeat(64)] {
            assert!(good.parse::<CallerId>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a b", "a#b", "ä", "a\0", &"x".repeat(65)] {
            assert!(bad.parse::<CallerId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn labels_are_printable_and_bounded_in_characters() {
        assert!("Kaffee & Röstung ☕".parse::<Label>().is_ok());
        assert!("☕".repeat(64).parse::<Label>().is_ok());
        for bad in ["", "a\0b", "tab\t", &"☕".repeat(65)] {
            assert!(bad.parse::<Label>().is_err(), "{bad:?}");
        }
    }
}
