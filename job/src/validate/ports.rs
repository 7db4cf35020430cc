//! Where the guest may be called.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::Value;

use crate::{
    path::Path,
    problem::{Problem, quoted},
};

/// Ports of one guest, at most.
const PORTS_MAX: usize = 16;

/// Reads ports as Bacalhau has them, `{Name, Static, HostNetwork}`, or plain numbers. Without an address the guest listens
/// on loopback: Bacalhau's listens everywhere.
pub(super) fn read(written: &[Value], path: &Path, problems: &mut Vec<Problem>) -> Vec<SocketAddr> {
    if written.len() > PORTS_MAX {
        let message = format!("{} ports are too many: {PORTS_MAX} are the most", written.len());
        problems.push(Problem::new(path.clone(), message));
        return Vec::new();
    }
    let mut ports = Vec::with_capacity(written.len());
    for (index, value) in written.iter().enumerate() {
        match port(value) {
            Ok(port) => ports.push(port),
            Err(message) => problems.push(
                Problem::new(path.index(index), message)
                    .hint("write `8080`, or `{Name: http, Static: 8080, HostNetwork: 0.0.0.0}`"),
            ),
        }
    }
    ports
}

fn port(value: &Value) -> Result<SocketAddr, String> {
    let Value::Object(fields) = value else {
        return Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), number(value)?));
    };
    let mut address = IpAddr::from(Ipv4Addr::LOCALHOST);
    let (mut fixed, mut target) = (None, None);
    for (name, value) in fields {
        match name.to_ascii_lowercase().as_str() {
            "name" => {}
            "static" => fixed = Some(number(value)?),
            "target" => target = Some(number(value)?),
            "hostnetwork" => {
                let text = value.as_str().unwrap_or_default();
                address = text.parse().map_err(|_| format!("{} is no address of a machine", quoted(text)))?;
            }
            _ => return Err(format!("{} is nothing that a port has", quoted(name))),
        }
    }
    let port = fixed.ok_or("a port has a number, `Static`: none is found for a guest")?;
    if target.is_some_and(|target| target != port) {
        return Err(
            "the guest listens on the node's own port: `Target` can be nothing but `Static`".to_owned()
        );
    }
    Ok(SocketAddr::new(address, port))
}

fn number(value: &Value) -> Result<u16, String> {
    let number = match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    };
    let port = number.and_then(|number| u16::try_from(number).ok()).filter(|port| *port != 0);
    port.ok_or_else(|| "a port is a number from 1 to 65535".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_port_is_a_number_or_as_bacalhau_has_it() {
        let read = |value| port(&value).map(|port| port.to_string());
        assert_eq!(read(json!(8080)), Ok("127.0.0.1:8080".to_owned()));
        assert_eq!(read(json!("8080")), Ok("127.0.0.1:8080".to_owned()));
        assert_eq!(
            read(json!({"Name": "http", "Static": 80, "Target": 80, "HostNetwork": "0.0.0.0"})),
            Ok("0.0.0.0:80".to_owned())
        );
        assert_eq!(read(json!({"static": 80, "HostNetwork": "::1"})), Ok("[::1]:80".to_owned()));
        for (refused, words) in [
            (json!(0), "1 to 65535"),
            (json!(65_536), "1 to 65535"),
            (json!({"Name": "http"}), "`Static`"),
            (json!({"Static": 80, "Target": 8080}), "`Target`"),
            (json!({"Static": 80, "HostNetwork": "eth0"}), "no address"),
            (json!({"Static": 80, "Dynamic": true}), "nothing that a port has"),
        ] {
            let message = read(refused.clone()).unwrap_err();
            assert!(message.contains(words), "{refused}: {message}");
        }
    }

    #[test]
    fn ports_have_a_bound() {
        let mut problems = Vec::new();
        assert!(read(&vec![json!(80); 17], &Path::default(), &mut problems).is_empty());
        assert_eq!(problems.len(), 1);
    }
}
