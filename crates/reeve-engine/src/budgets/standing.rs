//! Which cap decides: what each one would leave of a call that comes again.

use reeve_domain::budget::{Account, Balance};

use super::{Quote, free};

/// One cap as a call finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub account: Account,
    /// nano-USD or tokens; below zero after an overrun.
    pub free: i64,
    /// The most that the call may take of it, with the output limit that it asks for.
    pub needed: i64,
    /// The largest output limit that is affordable, in tokens; none when it pays for no answer.
    pub output: Option<u64>,
    /// The tightest of all: the one that lowers the call, stops it, or would first.
    pub decides: bool,
}

impl Quote {
    /// Every cap that this call counts in, the tightest first. `balances` are those of [`Quote::accounts`], in their order.
    #[must_use]
    pub fn standing(&self, balances: &[Balance]) -> Vec<Standing> {
        let full = self.full_output();
        let mut all: Vec<Standing> = self
            .lines
            .iter()
            .zip(balances)
            .map(|(line, balance)| Standing {
                account: line.account.clone(),
                free: free(&line.account, balance),
                needed: self.need(line.account.limit, full),
                output: self.largest_output(line, balance, full).ok(),
                decides: false,
            })
            .collect();
        // Among caps that afford the whole call, the one with the fewest such calls left.
        let calls = |one: &Standing| one.free.max(0) / one.needed.max(1);
        all.sort_by_key(|one| (one.output, calls(one), one.free));
        if let Some(first) = all.first_mut() {
            first.decides = true;
        }
        all
    }
}
