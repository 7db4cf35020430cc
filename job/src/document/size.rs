//! How large a part of a document is, and what is left to spend.

use super::{Node, Scalar, Tree};

/// Amounts that are bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Values.
    pub(super) nodes: usize,
    /// Bytes of text.
    pub(super) bytes: usize,
    /// Levels of lists and maps.
    pub(super) depth: usize,
}

impl Size {
    pub(super) fn of_scalar(scalar: &Scalar) -> Self {
        Self { nodes: 1, bytes: scalar.text.len(), depth: 0 }
    }

    /// What is left after taking `other`, which does not use up depth.
    pub(super) fn less(self, other: Self) -> Option<Self> {
        Some(Self {
            nodes: self.nodes.checked_sub(other.nodes)?,
            bytes: self.bytes.checked_sub(other.bytes)?,
            depth: self.depth,
        })
    }
}

/// The size of a value with all that is in it. Recursion is as deep as the document may be.
pub(super) fn size_of(node: &Node) -> Size {
    let add = |sum: Size, child: Size| Size {
        nodes: sum.nodes + child.nodes,
        bytes: sum.bytes + child.bytes,
        depth: sum.depth.max(child.depth + 1),
    };
    let container = Size { nodes: 1, bytes: 0, depth: 1 };
    match &node.tree {
        Tree::Scalar(scalar) => Size::of_scalar(scalar),
        Tree::List(items) => items.iter().map(size_of).fold(container, add),
        Tree::Map(entries) => entries
            .iter()
            .map(|entry| {
                let key = Size::of_scalar(&entry.key);
                let value = size_of(&entry.value);
                Size { nodes: key.nodes + value.nodes, bytes: key.bytes + value.bytes, depth: value.depth }
            })
            .fold(container, add),
    }
}
