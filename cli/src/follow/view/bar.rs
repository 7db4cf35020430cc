//! Bars of how much is done.

use skrei_protocol::api::told::Progress;

use crate::terminal::{fit, harmless};

/// A bar of its own line is never longer: beyond that it says no more.
const WIDTH_MAX: usize = 60;

/// The bar of a guest.
const WIDTH_TOLD: usize = 12;

/// `[=====>    ]` in so many columns, at least three.
pub(super) fn bar(fraction: f64, columns: usize) -> String {
    let inner = columns.clamp(3, WIDTH_MAX) - 2;
    // A cast of a float takes what is out of bounds to the nearest bound, and what is no number to 0.
    let done = ((fraction * inner as f64) as usize).min(inner);
    let head = if done < inner && done > 0 { ">" } else { "" };
    let done = done.saturating_sub(head.len());
    format!("[{}{head}{}]", "=".repeat(done), " ".repeat(inner - done - head.len()))
}

/// How far a guest says it is, behind this label.
pub(super) fn told(label: &str, progress: &Progress, columns: usize) -> String {
    let said = progress.in_words();
    let line = format!("{label}{} {}", bar(progress.fraction, WIDTH_TOLD), harmless::line(&said));
    fit::cut(&line, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_empty_at_nothing_and_full_at_all() {
        assert_eq!(bar(0.0, 12), "[          ]");
        assert_eq!(bar(0.5, 12), "[====>     ]");
        assert_eq!(bar(0.99, 12), "[========> ]");
        assert_eq!(bar(1.0, 12), "[==========]");
        for odd in [-1.0, 2.0, f64::NAN, f64::INFINITY] {
            assert_eq!(bar(odd, 12).len(), 12, "{odd}");
        }
        assert_eq!(bar(0.5, 0), "[ ]");
    }
}
