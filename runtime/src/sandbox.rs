//! What one run is given.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncRead;
use zeroize::Zeroizing;

use crate::fs::{Granted, Place};
use crate::stdin::Stdin;
use crate::{
    CancelToken, Deterministic, Limits, Mount, MountError, Network, OutputFilter, OutputSink, Stream,
    Terminals,
};

/// What one run is given: a builder in which everything is denied until granted.
///
/// A new sandbox has no mounts, no environment, no arguments but a name, an empty standard input, the default
/// [`Limits`], no network and nobody to cancel it. Standard output and standard error are captured. Clocks and
/// randomness are real.
pub struct Sandbox {
    pub(crate) args: Vec<String>,
    /// Overwritten in the end: a secret may be in it. A component is handed copies, which are not.
    pub(crate) env: Zeroizing<Vec<String>>,
    pub(crate) stdin: Stdin,
    pub(crate) terminals: Terminals,
    pub(crate) mounts: Vec<Granted>,
    pub(crate) network: Network,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) entry_point: String,
    pub(crate) limits: Limits,
    pub(crate) sink: Option<Arc<dyn OutputSink>>,
    pub(crate) filters: Option<[Box<dyn OutputFilter>; 2]>,
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) deterministic: Option<Deterministic>,
    pub(crate) data: Option<Arc<dyn Any + Send + Sync>>,
}

impl Sandbox {
    /// A sandbox in which nothing is granted.
    pub fn new() -> Sandbox {
        Sandbox {
            args: vec!["main.wasm".to_owned()],
            env: Zeroizing::default(),
            stdin: Stdin::bytes(Vec::new()),
            terminals: Terminals::default(),
            mounts: Vec::new(),
            network: Network::Denied,
            listen: Vec::new(),
            entry_point: "_start".to_owned(),
            limits: Limits::default(),
            sink: None,
            filters: None,
            cancel: None,
            deterministic: None,
            data: None,
        }
    }

    /// The guest's name for itself, argument 0. Default `main.wasm`.
    pub fn name(mut self, name: impl Into<String>) -> Sandbox {
        self.args[0] = without_nul(name.into());
        self
    }

    /// Adds an argument. It ends at its first NUL byte, if it has one, as it would for the guest.
    pub fn arg(mut self, arg: impl Into<String>) -> Sandbox {
        self.args.push(without_nul(arg.into()));
        self
    }

    /// Adds arguments, as [`arg`](Self::arg) does.
    pub fn args(self, args: impl IntoIterator<Item = impl Into<String>>) -> Sandbox {
        args.into_iter().fold(self, Sandbox::arg)
    }

    /// Adds an environment variable, in place of an earlier one of that name.
    pub fn env(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Sandbox {
        let prefix = format!("{}=", name.as_ref());
        self.env.retain(|variable| !variable.starts_with(&prefix));
        self.env.push(without_nul(prefix + value.as_ref()));
        self
    }

    /// Standard input: exactly these bytes.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Sandbox {
        self.stdin = Stdin::bytes(bytes.into());
        self
    }

    /// Standard input: what `reader` gives. The guest waits where the reader does.
    pub fn stdin_reader(mut self, reader: impl AsyncRead + Send + Unpin + 'static) -> Sandbox {
        self.stdin = Stdin::reader(Box::new(reader));
        self
    }

    /// Says which of the guest's streams are a terminal. Default none.
    pub fn terminals(mut self, terminals: Terminals) -> Sandbox {
        self.terminals = terminals;
        self
    }

    /// Grants a mount. The guest sees its mounts in the order they were granted.
    ///
    /// # Errors
    /// [`MountError`] if the guest path or file name is not usable, or collides with an earlier mount's.
    pub fn mount(mut self, mount: Mount) -> Result<Sandbox, MountError> {
        self.mounts.push(Granted::beside(mount, &self.mounts)?);
        Ok(self)
    }

    /// Whether [`mount`](Self::mount) would accept it.
    pub fn has_room_for(&self, mount: &Mount) -> bool {
        Place::beside(mount, &self.mounts).is_ok()
    }

    /// Grants the guest a network. Default: none.
    pub fn network(mut self, network: Network) -> Sandbox {
        self.network = network;
        self
    }

    /// Lets a component listen on addresses, whatever its network is; one of all addresses (`0.0.0.0`) covers each. Modules
    /// have no sockets. Default: none.
    pub fn listen(mut self, addresses: impl IntoIterator<Item = SocketAddr>) -> Sandbox {
        self.listen.extend(addresses);
        self
    }

    /// The exported function to start at; it takes no parameters. Default `_start`.
    pub fn entry_point(mut self, name: impl Into<String>) -> Sandbox {
        self.entry_point = name.into();
        self
    }

    /// How much the run may use. Default [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Sandbox {
        self.limits = limits;
        self
    }

    /// Also hands the guest's output to `sink` as it is written. It is captured for the outcome all the same.
    pub fn output(mut self, sink: Arc<dyn OutputSink>) -> Sandbox {
        self.sink = Some(sink);
        self
    }

    /// Puts a filter before everything that gets the guest's output, one for each stream.
    pub fn filter(mut self, filter: impl Fn(Stream) -> Box<dyn OutputFilter>) -> Sandbox {
        self.filters = Some([filter(Stream::Stdout), filter(Stream::Stderr)]);
        self
    }

    /// Makes clocks and randomness the same in every run, in place of real ones. A guest that sleeps goes on at
    /// once, at the time it wanted to wake. Limits go by real time all the same, and what the guest reads of files
    /// is what they are, their times included.
    pub fn deterministic(mut self, deterministic: Deterministic) -> Sandbox {
        self.deterministic = Some(deterministic);
        self
    }

    /// Gives the run something for the embedder's own functions, which find it with
    /// [`HostCall::data`](crate::HostCall::data).
    pub fn data(mut self, data: Arc<impl Any + Send + Sync>) -> Sandbox {
        self.data = Some(data);
        self
    }

    /// Lets `token` end the run.
    pub fn cancel(mut self, token: CancelToken) -> Sandbox {
        self.cancel = Some(token);
        self
    }
}

impl Default for Sandbox {
    fn default() -> Sandbox {
        Sandbox::new()
    }
}

impl std::fmt::Debug for Sandbox {
    /// Without the environment and the arguments, which may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("mounts", &self.mounts.iter().map(|granted| &granted.mount).collect::<Vec<_>>())
            .field("network", &self.network)
            .field("entry_point", &self.entry_point)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn without_nul(mut text: String) -> String {
    if let Some(end) = text.find('\0') {
        text.truncate(end);
    }
    text
}
