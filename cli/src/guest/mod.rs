//! For those who write guests: the languages, a project to start with, and building it.

pub(crate) mod build;
pub(crate) mod language;
pub(crate) mod module;
pub(crate) mod project;
pub(crate) mod template;
pub(crate) mod tool;
