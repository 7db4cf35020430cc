//! Certificates, keys and the TLS configurations made of them: servers, clients and nodes.
