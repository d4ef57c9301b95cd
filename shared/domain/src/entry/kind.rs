//! What entries say happened, and the other side of each.

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $word:literal $contra:ident;)*) => {
        /// What an entry says happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)*];

            /// The word for it in answers and events.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Kind::$kind => $word,)* }
            }

            /// Where its points come from or go to.
            #[must_use]
            pub const fn contra(self) -> Contra {
                match self { $(Kind::$kind => Contra::$contra,)* }
            }
        }
    };
}

kinds! {
    /// The member joined; 0 points.
    Enrol "enrol" Issued;
    /// Points for a purchase.
    Earn "earn" Issued;
    /// Points for something else than money.
    Bonus "bonus" Issued;
    /// Points taken back after a refund.
    Clawback "clawback" ClawedBack;
    /// Points given back because a refund had taken too many.
    Restore "restore" ClawedBack;
    /// Points that ended unspent.
    Expire "expire" Expired;
    /// A correction by an operator.
    Adjust "adjust" Adjusted;
    /// Notice that points will expire; 0 points.
    Notice "notice" Expired;
    /// A change of level; 0 points.
    Tier "tier" Issued;
    /// Points given up by leaving.
    Forfeit "forfeit" Forfeited;
    /// Points set aside for a reward.
    Hold "hold" Held;
    /// Points spent on a reward: at once, or, with 0 points, those set aside for it.
    Redeem "redeem" Redeemed;
    /// Points that come back from a reward.
    Release "release" Held;
    /// A goal was reached, or is not any more; 0 points.
    Goal "goal" Issued;
}

/// The other side of an entry: program totals over all sides sum to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contra {
    /// Created by the program.
    Issued,
    /// Ended unspent.
    Expired,
    /// Taken back.
    ClawedBack,
    /// Corrected.
    Adjusted,
    /// Given up.
    Forfeited,
    /// Set aside for rewards.
    Held,
    /// Spent on rewards.
    Redeemed,
}

impl Contra {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Contra::Issued => "issued",
            Contra::Expired => "expired",
            Contra::ClawedBack => "clawed_back",
            Contra::Adjusted => "adjusted",
            Contra::Forfeited => "forfeited",
            Contra::Held => "held",
            Contra::Redeemed => "redeemed",
        }
    }
}
