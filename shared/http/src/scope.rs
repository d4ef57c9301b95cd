//! What a token may open.

/// One thing that a token may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Look up and read members, their accounts, ledgers, progress, rewards and redemptions.
    MembersRead,
    /// Enrol, change, deactivate and reactivate members.
    MembersWrite,
    /// Erase members and export what is held about them.
    MembersErase,
    /// Purchases, quotes, refunds, claims, activities.
    PointsEarn,
    /// Redemptions, capture, cancel, vouchers.
    PointsRedeem,
    /// Adjustments.
    PointsAdjust,
    /// A member's referrals.
    ReferralsRead,
    /// Flagged referrals: list, approve, void.
    ReferralsReview,
    /// Read the program.
    ProgramRead,
    /// Publish and validate programs.
    ProgramWrite,
    /// Reports.
    ReportsRead,
    /// The token of a member, confined to that member whatever else it carries.
    Own,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 12] = [
        Scope::MembersRead,
        Scope::MembersWrite,
        Scope::MembersErase,
        Scope::PointsEarn,
        Scope::PointsRedeem,
        Scope::PointsAdjust,
        Scope::ReferralsRead,
        Scope::ReferralsReview,
        Scope::ProgramRead,
        Scope::ProgramWrite,
        Scope::ReportsRead,
        Scope::Own,
    ];

    /// The word in a token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::MembersRead => "members:read",
            Scope::MembersWrite => "members:write",
            Scope::MembersErase => "members:erase",
            Scope::PointsEarn => "points:earn",
            Scope::PointsRedeem => "points:redeem",
            Scope::PointsAdjust => "points:adjust",
            Scope::ReferralsRead => "referrals:read",
            Scope::ReferralsReview => "referrals:review",
            Scope::ProgramRead => "program:read",
            Scope::ProgramWrite => "program:write",
            Scope::ReportsRead => "reports:read",
            Scope::Own => "self",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u16);

impl Scopes {
    /// No scope at all.
    pub const NONE: Scopes = Scopes(0);

    /// Reads the claim of a token: words with spaces between. A resource server's name before the last `/` is ignored,
    /// and so is what is no scope of ours.
    #[must_use]
    pub fn parse(claim: &str) -> Self {
        claim
            .split_ascii_whitespace()
            .map(|word| word.rsplit_once('/').map_or(word, |(_, scope)| scope))
            .filter_map(|word| Scope::ALL.into_iter().find(|scope| scope.as_str() == word))
            .collect()
    }

    /// This set and one more.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    /// Whether the scope is in the set.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether the two sets share a scope.
    #[must_use]
    pub const fn meets(self, other: Scopes) -> bool {
        self.0 & other.0 != 0
    }

    /// The scopes in the set, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::NONE, Self::with)
    }
}
