//! The network: what a guest may reach, judged before a name is looked up and again before anything is connected.
//!
//! A [`Network`] is the grant. [`judge()`] decides, and is pure; a gate asks it for one run and remembers what was denied.

pub(crate) mod connect;
pub(crate) mod exchange;
pub(crate) mod fetch;
mod gate;
mod host;
mod judge;
pub(crate) mod lookup;
mod outbound;
mod pattern;
mod range;

use hyper::header::{self, HeaderName};

pub(crate) use gate::Gate;
pub use gate::NetworkUsage;
pub use host::{Host, HostError};
pub use judge::{Attempt, Denial, DenialRule, Verdict, judge};
pub(crate) use outbound::Outbound;
pub use pattern::{HostPattern, HostPatternError};
pub use range::Range;

/// Headers that tell about the connection, which is ours, or choose another host than the one that was judged.
const CONNECTION_HEADERS: &[HeaderName] = &[
    header::HOST,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TRAILER,
    header::TE,
    header::UPGRADE,
    header::EXPECT,
    header::PROXY_AUTHORIZATION,
];

/// What a guest may reach. The default is nothing.
///
/// ```
/// use skrei_runtime::{Network, Sandbox};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let network = Network::http(["api.example.org:443", "*.example.net"])?;
/// let sandbox = Sandbox::new().network(network);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Network {
    /// Nothing.
    #[default]
    Denied,
    /// HTTP and HTTPS requests, made by the host, to the hosts of a list.
    ///
    /// A name is on the list before it is looked up, so that a lookup tells nobody anything. The address it leads to
    /// must be a public one, or be listed itself: a name that is allowed cannot be pointed at the host's own network.
    /// `localhost`, listed by that name, may be where it always is.
    Http(Vec<HostPattern>),
    /// Whatever the host's process can reach, its own network and loopback included: requests, and for components
    /// names and sockets.
    Full,
}

impl Network {
    /// HTTP and HTTPS requests to the hosts that these patterns cover; see [`HostPattern`].
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn http<P: AsRef<str>>(hosts: impl IntoIterator<Item = P>) -> Result<Network, HostPatternError> {
        hosts.into_iter().map(|host| host.as_ref().parse()).collect::<Result<_, _>>().map(Network::Http)
    }
}
