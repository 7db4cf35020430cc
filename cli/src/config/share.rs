//! Shares of what a machine has.

/// A share of what there is, or an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// From 0 to 100.
    Percent(u8),
    /// In the unit of the thing.
    Amount(u64),
}

impl Share {
    /// The amount, where there is `total`.
    pub(crate) fn of(self, total: u64) -> u64 {
        match self {
            Self::Percent(percent) => {
                (u128::from(total) * u128::from(percent) / 100).try_into().unwrap_or(total)
            }
            Self::Amount(amount) => amount,
        }
    }
}
