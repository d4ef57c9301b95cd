//! Why a decision was refused. Each reason exists because somebody acts on it: a caller, or the loop that decides again.

use crate::calendar::Moment;
use crate::redemption::Status;

/// Why a decision was refused; nothing is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A program version is needed that is not at hand; decide again with it.
    #[error("program version {0} is needed")]
    NeedsVersion(u32),
    /// There is no such member, or not any more.
    #[error("there is no such member")]
    MemberUnknown,
    /// The member earns and spends nothing at present.
    #[error("the member is deactivated")]
    Deactivated,
    /// A business time more than five minutes ahead.
    #[error("it lies in the future")]
    InFuture,
    /// A purchase older than the program records.
    #[error("the purchase is more than {days} days old")]
    TooOld {
        /// What the program allows.
        days: i64,
    },
    /// Sums beyond counting.
    #[error("a sum is too large")]
    TooMuch,
    /// The account can hold no further lot.
    #[error("the account holds as many lots as it can")]
    TooManyLots,
    /// A refund names lines that the purchase does not have.
    #[error("the purchase has no such line")]
    LineUnknown {
        /// Places of the lines in the refund.
        at: Vec<usize>,
    },
    /// A refund of more than is left.
    #[error("the refund exceeds what is left of the purchase")]
    RefundExceedsPurchase {
        /// Place of the line in the refund, and the field that is too much.
        at: Vec<(usize, &'static str)>,
    },
    /// Fewer points can be spent than are to be taken.
    #[error("{available} points are available, {required} are required")]
    InsufficientPoints {
        /// To be taken.
        required: i64,
        /// Can be spent.
        available: i64,
    },
    /// The purchase belongs to a member already.
    #[error("the purchase belongs to a member already")]
    Claimed,
    /// A claim of a purchase of which everything came back.
    #[error("nothing is left of the purchase")]
    NothingLeft,
    /// A claim that states another net total than the purchase's.
    #[error("the net total is not that of the purchase")]
    WrongTotal,
    /// An activity of a type that the program does not name.
    #[error("the program does not name this type of activity")]
    ActivityUnknown,
    /// An activity older than the program records.
    #[error("the activity is more than {days} days old")]
    ActivityTooOld {
        /// What the program allows.
        days: i64,
    },
    /// The account can hold no further level or booked day.
    #[error("the account holds as many granted levels and booked days as it can")]
    TooManyPasses,
    /// A level that the program does not have.
    #[error("the program has no such level")]
    LevelUnknown,
    /// A date before today.
    #[error("the date lies in the past")]
    DatePast,
    /// What is stored contradicts itself: an account that its entries do not explain.
    #[error("the stored account contradicts itself")]
    Inconsistent,
    /// The program has no such reward.
    #[error("the program has no such reward")]
    RewardUnknown,
    /// The reward cannot be had, by this member, at this moment.
    #[error("the reward cannot be had at present")]
    RewardUnavailable {
        /// Why, in words a cashier can read out.
        because: Vec<String>,
    },
    /// A field of the request does not go with the reward.
    #[error("{field} {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// So many redemptions of the member wait for their end already.
    #[error("{most} redemptions are open, and more cannot be")]
    TooManyHolds {
        /// How many can be open.
        most: usize,
    },
    /// What is asked of a redemption needs another status than it has.
    #[error("the redemption is {}", .status.word())]
    RedemptionIs {
        /// Its status now.
        status: Status,
    },
    /// More is to be spent than was set aside.
    #[error("{held} points were set aside")]
    CaptureExceedsHold {
        /// How many were.
        held: i64,
    },
    /// There is no such voucher, or not any more.
    #[error("there is no such voucher")]
    VoucherUnknown,
    /// The voucher, or the redemption behind it, was used for an order.
    #[error("it was used already")]
    VoucherUsed,
    /// The voucher's time is over.
    #[error("the voucher expired at {at}")]
    VoucherExpired {
        /// When it ended.
        at: Moment,
    },
    /// The redemption behind the voucher was called off or has lapsed.
    #[error("the voucher was cancelled")]
    VoucherCancelled,
    /// The voucher's time has not come, or its points are only set aside yet.
    #[error("the voucher cannot be used yet")]
    VoucherNotYetValid {
        /// From when on, if a date is all it waits for.
        from: Option<Moment>,
    },
    /// A purchase names redemptions that cannot have paid for it.
    #[error("it was not paid with that")]
    BadPayment {
        /// Place of the redemption in the purchase, and what is wrong with it.
        at: Vec<(usize, &'static str)>,
    },
}
