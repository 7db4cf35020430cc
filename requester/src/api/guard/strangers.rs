//! Calls by nobody we know, as far as each is recorded. Whoever wants to could make any number of them: they must not
//! push out the records of those who did change something, nor keep the disk busy.

use std::{
    fmt,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use skrei_access::Buckets;
use skrei_job::Timestamp;
use skrei_tls::Client;

use crate::store;

/// Calls of one client that are recorded each: so many at once, and then one in so long.
const OF_ONE: (f64, Duration) = (5.0, Duration::from_secs(600));

/// Calls of all clients that are recorded each. In a quarter of a year these are an eighth of what is kept at most.
const OF_ALL: (f64, Duration) = (60.0, Duration::from_secs(60));

/// Clients that are told apart.
const CLIENTS_MAX: usize = 20_000;

/// Further calls are counted for so long, and recorded as one.
pub(super) const COUNTED_FOR: Duration = Duration::from_secs(60);

/// Stands for everybody.
const EVERYBODY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// Those nobody knows.
#[derive(Debug)]
pub(super) struct Strangers(Mutex<Known>);

#[derive(Debug)]
struct Known {
    each: Buckets,
    all: Buckets,
    crowd: Option<Crowd>,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// It is recorded.
    Recorded,
    /// It is counted, and the first: in a while somebody is to look how many there were.
    CountedFirst,
    /// It is counted.
    Counted,
}

/// Calls that were counted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Crowd {
    since: Timestamp,
    calls: u64,
    /// None if they came from several.
    from: Option<IpAddr>,
}

impl Default for Strangers {
    fn default() -> Self {
        let buckets = |(burst, refill): (f64, Duration), clients| {
            Buckets::new(1.0 / refill.as_secs_f64(), burst, clients)
        };
        Self(Mutex::new(Known { each: buckets(OF_ONE, CLIENTS_MAX), all: buckets(OF_ALL, 1), crowd: None }))
    }
}

impl Strangers {
    /// What becomes of a call.
    pub(super) fn judge(&self, from: IpAddr, at: Timestamp, now: Instant) -> Judged {
        let mut known = self.known();
        if known.each.take(Client::from(from), now).is_ok()
            && known.all.take(Client::from(EVERYBODY), now).is_ok()
        {
            return Judged::Recorded;
        }
        match &mut known.crowd {
            Some(crowd) => {
                crowd.calls = crowd.calls.saturating_add(1);
                crowd.from = crowd.from.filter(|other| *other == from);
                Judged::Counted
            }
            None => {
                known.crowd = Some(Crowd { since: at, calls: 1, from: Some(from) });
                Judged::CountedFirst
            }
        }
    }

    /// What was counted; from now on it is counted anew.
    pub(super) fn take_count(&self) -> Option<Crowd> {
        self.known().crowd.take()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Crowd {
    /// As one call, and the status that stands for how all were answered.
    pub(super) fn record(&self) -> (store::Call, u16) {
        let call = store::Call {
            at: self.since,
            user: String::new(),
            method: "",
            address: self.from.map(|from| from.to_string()).unwrap_or_default(),
            action: "several".to_owned(),
            path: String::new(),
            request: String::new(),
        };
        (call, StatusCode::UNAUTHORIZED.as_u16())
    }
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = if self.from.is_some() { "one client" } else { "several clients" };
        write!(f, "{} more calls of {from} that nobody knows, all refused", self.calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_few_calls_are_recorded_and_the_rest_counted() {
        let (strangers, now) = (Strangers::default(), Instant::now());
        let at = Timestamp::from_nanos(7);
        let judged: Vec<_> = (0..100).map(|_| strangers.judge(address(1), at, now)).collect();
        let count = |of| judged.iter().filter(|judged| **judged == of).count();
        assert_eq!(
            (count(Judged::Recorded), count(Judged::CountedFirst), count(Judged::Counted)),
            (5, 1, 94)
        );
        let crowd = strangers.take_count().unwrap();
        assert_eq!(crowd, Crowd { since: at, calls: 95, from: Some(address(1)) });
        assert_eq!(crowd.record().0.address, "192.0.2.1");
        assert!(strangers.take_count().is_none());
        // Another is heard all the same, and later the first is again.
        assert_eq!(strangers.judge(address(2), at, now), Judged::Recorded);
        assert_eq!(strangers.judge(address(1), at, now + OF_ONE.1), Judged::Recorded);
    }

    #[test]
    fn many_clients_together_are_bounded_too() {
        let (strangers, now) = (Strangers::default(), Instant::now());
        let at = Timestamp::from_nanos(7);
        let judged: Vec<_> = (0..200).map(|last| strangers.judge(address(last), at, now)).collect();
        assert_eq!(judged.iter().filter(|judged| **judged == Judged::Recorded).count(), 60);
        let crowd = strangers.take_count().unwrap();
        assert_eq!((crowd.calls, crowd.from), (140, None));
    }
}
