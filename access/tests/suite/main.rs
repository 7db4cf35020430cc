//! Who is let in, by what they show.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod provider;
mod tokens;
mod users;
