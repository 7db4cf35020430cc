//! What only the assembled system can show: the `skrei` binary as people run it, killed, cut off and misused.

mod harness;

mod bad_input;
mod crash;
mod demo;
mod deploy;
mod logs;
mod structure;
mod surface;
