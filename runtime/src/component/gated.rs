//! What wasmtime's implementation of sockets goes by.

use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::sockets::SocketAddrUse;

use super::sockets::Doorkeeper;
use crate::network::{Attempt, Gate};

/// Sockets, as far as the gate lets them through: none at all, or to each address that it admits. Callers wait for the
/// doorkeeper, if there is one.
pub(super) fn gated(gate: &Gate, doorkeeper: Option<Doorkeeper>) -> WasiCtx {
    let granted = gate.admit(Attempt::Sockets).is_ok();
    let mut sockets = WasiCtx::builder();
    // To be called takes TCP alone. Names are looked up by ourselves.
    let all = gate.grants_all_sockets();
    sockets.allow_tcp(granted).allow_udp(all).allow_ip_name_lookup(false);
    if granted {
        let gate = gate.clone();
        sockets.socket_addr_check(move |address, to| {
            let admitted = match (to, &doorkeeper) {
                // Who calls is the business of whoever lets the guest be called.
                (SocketAddrUse::TcpAccept, Some(doorkeeper)) => {
                    return Box::pin(doorkeeper.clone().lets_in());
                }
                (SocketAddrUse::TcpAccept, None) => true,
                (SocketAddrUse::TcpBind | SocketAddrUse::TcpListen, _) => {
                    gate.admit(Attempt::Listen { address }).is_ok()
                }
                _ => gate.admit(Attempt::Socket { address }).is_ok(),
            };
            Box::pin(async move { admitted })
        });
    }
    sockets.build()
}
