//! Stories about scheduling, one file per rule, and a model test over random events.

mod batch;
mod capacity;
mod constraints;
mod given;
mod governance;
mod kept_running;
mod model;
mod node_loss;
mod ops;
mod rerun;
mod restore;
mod rollout;
mod stop;
mod store;
mod tally;
mod update;
mod world;
