//! What one component has on the host.

use std::any::Any;
use std::sync::Arc;

use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::sockets::{self, WasiSocketsCtx};
use wasmtime_wasi::{WasiCtx, p2};
use wasmtime_wasi_http::WasiHttpCtxView;

use super::gated::gated;
use super::http::Http;
use super::sockets::{Room, Sockets, room};
use super::{Descriptor, OpenFiles, Permit};
use crate::fs::{Descriptors, Dir, Preopen, Result};
use crate::network::{Gate, Outbound};

/// Streams, timers, requests and the like that one component may have at once, beside the files it may open. With some the
/// host keeps headers, up to 32 KiB of them.
const RESOURCES_MAX: usize = 2048;

/// What one component does at once, and the ends of streams and futures it has not dropped, beside those of its connections.
const TASKS_MAX: usize = 4096;

/// The same of one connection: a stream and two futures for each direction, and what leads one to the other, with both ends.
const TASKS_OF_CONNECTION: usize = 21;

/// What one component has on the host.
pub(crate) struct Holdings {
    pub(crate) resources: ResourceTable,
    open: OpenFiles,
    tasks_max: usize,
    preopens: Vec<(Descriptor, String)>,
    /// What wasmtime's own implementation of sockets goes by. Made when the guest first asks for one.
    gated: Option<Box<WasiCtx>>,
    sockets: Sockets,
    /// What wasmtime's own implementation of HTTP goes by. Made when the guest first comes to it.
    http: Option<Box<Http>>,
}

impl Holdings {
    pub(crate) fn new(preopens: Vec<Preopen>, open_max: u32, descriptors: &Descriptors) -> Holdings {
        let preopens = preopens
            .into_iter()
            .map(|Preopen { guest_path, dir }| (Descriptor::preopened(dir), guest_path))
            .collect();
        let mut resources = ResourceTable::new();
        // A file is a descriptor and, while it is read or written, a stream and what waits for it; a socket is one, and has
        // its room kept by the streams of its connection.
        resources.set_max_capacity(RESOURCES_MAX.saturating_add((open_max as usize).saturating_mul(4)));
        Holdings {
            resources,
            open: OpenFiles::new(open_max, descriptors.clone()),
            tasks_max: TASKS_MAX.saturating_add((open_max as usize).saturating_mul(TASKS_OF_CONNECTION)),
            preopens,
            gated: None,
            sockets: Sockets::default(),
            http: None,
        }
    }

    /// How much it may do at once on WASI 0.3: enough for all connections it may have.
    pub(crate) fn tasks_max(&self) -> usize {
        self.tasks_max
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
        self.take(OpenFiles::take)
    }

    /// Room for one more socket, which counts as an open file. `EMFILE` or `ENFILE` if there is none.
    pub(crate) fn room_for_socket(&mut self) -> Result<Room> {
        self.take(OpenFiles::take_connection).map(room)
    }

    /// Room for a connection that the host makes for the guest.
    pub(crate) fn room_for_connection(&self) -> Result<Permit> {
        self.open.take_connection()
    }

    /// Room for the first who calls a socket: the host has it before the guest does. `EMFILE` or `ENFILE` if there is none.
    pub(crate) fn room_for_callers<S>(&mut self, socket: &Resource<S>) -> Result<()> {
        self.sockets.is_called(socket.rep(), &self.open).or_else(|_| {
            self.forget_lost();
            self.sockets.is_called(socket.rep(), &self.open)
        })
    }

    fn take(&mut self, take: fn(&OpenFiles) -> Result<Permit>) -> Result<Permit> {
        take(&self.open).or_else(|_| {
            self.forget_lost();
            take(&self.open)
        })
    }

    fn forget_lost(&mut self) {
        let there = self.resources.iter_mut().filter(|entry| is_socket(*entry)).count();
        self.sockets.forget_lost(there);
    }

    /// The guest has a socket, which takes this room.
    pub(crate) fn has_socket<S>(&mut self, socket: &Resource<S>, room: Room) {
        self.sockets.made(socket.rep(), room);
    }

    /// The guest drops its handle to a socket.
    pub(crate) fn drop_socket<S: 'static>(&mut self, handle: u32) -> wasmtime::Result<()> {
        drop(self.resources.delete(Resource::<S>::new_own(handle))?);
        self.sockets.dropped(handle);
        Ok(())
    }

    /// The room of a socket of which something was heard before.
    pub(crate) fn room_of<S>(&self, socket: &Resource<S>) -> Option<Room> {
        self.sockets.room(socket.rep())
    }

    /// The room of a socket that came in through a stream, of which nothing was.
    pub(crate) fn room_of_caller<S>(&mut self, socket: &Resource<S>) -> Option<Room> {
        self.sockets.came_in(socket.rep())
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
    pub(crate) fn sockets(&mut self, gate: &Gate) -> (&mut WasiSocketsCtx, &mut ResourceTable) {
        let gated = self.gated.get_or_insert_with(|| Box::new(gated(gate, None)));
        (gated.sockets(), &mut self.resources)
    }

    /// The same for one socket alone, which takes this room: by it those are let in who come through a stream.
    pub(crate) fn one_socket(&mut self, gate: &Gate, room: &Room) -> (WasiSocketsCtx, &mut ResourceTable) {
        let doorkeeper = self.sockets.doorkeeper(room, &self.open);
        (gated(gate, Some(doorkeeper)).sockets().clone(), &mut self.resources)
    }
}

fn is_socket(resource: &(dyn Any + Send)) -> bool {
    resource.is::<p2::TcpSocket>()
        || resource.is::<p2::UdpSocket>()
        || resource.is::<sockets::TcpSocket>()
        || resource.is::<sockets::UdpSocket>()
}
