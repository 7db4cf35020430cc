//! A value that is not shown.

use std::fmt;

use zeroize::Zeroize;

/// A value that nothing prints and that is overwritten when it is let go.
///
/// It has no `Display`, its `Debug` says nothing, and whoever wants the value says so with [`expose`](Self::expose),
/// which is easy to look for. What is made of an exposed value is its maker's to wipe.
#[derive(Clone)]
pub struct Secret<T: Zeroize = Vec<u8>>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes a value in.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl From<&[u8]> for Secret {
    fn from(value: &[u8]) -> Self {
        Self(value.to_vec())
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
