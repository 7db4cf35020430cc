//! What one component has on the host.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::sockets::{self, SocketAddrUse};
use wasmtime_wasi::{WasiCtx, p2};
use wasmtime_wasi_http::WasiHttpCtxView;

use super::Descriptor;
use super::http::Http;
use crate::fs::{Descriptors, Dir, Errno, Preopen, Result, Slot};
use crate::network::{Attempt, Gate, Outbound};

/// Streams, timers, requests and the like that one component may have at once, beside the files it may open. With some the
/// host keeps headers, up to 32 KiB of them.
const RESOURCES_MAX: usize = 2048;

/// What one component has on the host.
pub(crate) struct Holdings {
    pub(crate) resources: ResourceTable,
    open: OpenFiles,
    preopens: Vec<(Descriptor, String)>,
    /// What wasmtime's own implementation of sockets goes by. Made when the guest first asks for one.
    sockets: Option<Box<WasiCtx>>,
    /// What wasmtime's own implementation of HTTP goes by. Made when the guest first comes to it.
    http: Option<Box<Http>>,
    /// One for each socket.
    socket_permits: Vec<Permit>,
}

impl Holdings {
    pub(crate) fn new(preopens: Vec<Preopen>, open_max: u32, descriptors: &Descriptors) -> Holdings {
        let preopens = preopens
            .into_iter()
            .map(|Preopen { guest_path, dir }| (Descriptor::preopened(dir), guest_path))
            .collect();
        let mut resources = ResourceTable::new();
        // A file is a descriptor and, while it is read or written, a stream and what waits for it.
        resources.set_max_capacity(RESOURCES_MAX.saturating_add((open_max as usize).saturating_mul(4)));
        Holdings {
            resources,
            open: OpenFiles::new(open_max, descriptors.clone()),
            preopens,
            sockets: None,
            http: None,
            socket_permits: Vec::new(),
        }
    }

    /// The descriptor behind a handle.
    pub(crate) fn descriptor(&self, handle: &Resource<Descriptor>) -> wasmtime::Result<Descriptor> {
        Ok(self.resources.get(handle)?.clone())
    }

    /// Handles to the directories the guest starts with, and the paths it has for them.
    pub(crate) fn preopens(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let Holdings { resources, preopens, .. } = self;
        preopens.iter().map(|(dir, path)| Ok((resources.push(dir.clone())?, path.clone()))).collect()
    }

    /// Room for one more file or directory. `EMFILE` if there is none.
    pub(crate) fn room(&mut self) -> Result<Permit> {
        self.open.take().or_else(|_| {
            self.count_sockets()?;
            self.open.take()
        })
    }

    /// Room for one more socket, which counts as an open file. `EMFILE` if there is none.
    pub(crate) fn room_for_socket(&mut self) -> Result<()> {
        self.count_sockets()?;
        self.socket_permits.push(self.open.take_connection()?);
        Ok(())
    }

    /// Room for a connection that the host makes for the guest.
    pub(crate) fn room_for_connection(&self) -> Result<Permit> {
        self.open.take_connection()
    }

    /// Sockets are made and dropped by wasmtime, and some are only found to be there: those that came in.
    fn count_sockets(&mut self) -> Result<()> {
        let there = self.resources.iter_mut().filter(|entry| is_socket(*entry)).count();
        self.socket_permits.truncate(there);
        while self.socket_permits.len() < there {
            self.socket_permits.push(self.open.take_connection()?);
        }
        Ok(())
    }

    /// The directories the guest starts with, and the paths it has for them.
    pub(crate) fn granted(&self) -> impl Iterator<Item = (&str, &Dir)> {
        self.preopens.iter().filter_map(|(handle, path)| Some((path.as_str(), handle.dir().ok()?)))
    }

    /// What wasmtime's HTTP goes by, and where things are kept.
    pub(crate) fn http(&mut self, gate: &Gate, outbound: &Arc<Outbound>) -> WasiHttpCtxView<'_> {
        let Holdings { http, resources, open, .. } = self;
        http.get_or_insert_with(|| Box::new(Http::new(gate, outbound, open))).view(resources)
    }

    /// What wasmtime's sockets go by, and where they are kept.
    pub(crate) fn sockets(&mut self, gate: &Gate) -> (&mut WasiCtx, &mut ResourceTable) {
        let sockets = self.sockets.get_or_insert_with(|| Box::new(gated(gate)));
        (sockets, &mut self.resources)
    }
}

/// Sockets, as far as the gate lets them through: none at all, or to each address that it admits.
fn gated(gate: &Gate) -> WasiCtx {
    let granted = gate.admit(Attempt::Sockets).is_ok();
    let mut sockets = WasiCtx::builder();
    // To be called takes TCP alone. Names are looked up by ourselves.
    let all = gate.grants_all_sockets();
    sockets.allow_tcp(granted).allow_udp(all).allow_ip_name_lookup(false);
    if granted {
        let gate = gate.clone();
        sockets.socket_addr_check(move |address, to| {
            let admitted = match to {
                // Who calls is the business of whoever lets the guest be called.
                SocketAddrUse::TcpAccept => true,
                SocketAddrUse::TcpBind | SocketAddrUse::TcpListen => {
                    gate.admit(Attempt::Listen { address }).is_ok()
                }
                _ => gate.admit(Attempt::Socket { address }).is_ok(),
            };
            Box::pin(async move { admitted })
        });
    }
    sockets.build()
}

fn is_socket(resource: &(dyn Any + Send)) -> bool {
    resource.is::<p2::TcpSocket>()
        || resource.is::<p2::UdpSocket>()
        || resource.is::<sockets::TcpSocket>()
        || resource.is::<sockets::UdpSocket>()
}

/// How many files, directories and sockets a guest has open.
#[derive(Clone)]
pub(crate) struct OpenFiles {
    open: Arc<AtomicU32>,
    most: u32,
    /// What all guests have open; files and directories see to that themselves.
    of_all: Descriptors,
}

/// One open file, directory or socket, as long as it is there.
pub(crate) struct Permit {
    open: Arc<AtomicU32>,
    _slot: Option<Slot>,
}

impl OpenFiles {
    fn new(most: u32, of_all: Descriptors) -> OpenFiles {
        OpenFiles { open: Arc::default(), most, of_all }
    }

    /// Room for one more socket or connection. `EMFILE` if there is none, `ENFILE` if the guests have too many together.
    pub(crate) fn take_connection(&self) -> Result<Permit> {
        let mut permit = self.take()?;
        permit._slot = Some(self.of_all.take()?);
        Ok(permit)
    }

    /// Room for one more. `EMFILE` if there is none.
    pub(crate) fn take(&self) -> Result<Permit> {
        // One guest at a time counts here.
        if self.open.load(Ordering::Relaxed) >= self.most {
            return Err(Errno::MFile);
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(Permit { open: Arc::clone(&self.open), _slot: None })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}
