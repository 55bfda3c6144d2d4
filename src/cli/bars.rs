//! Bars on standard error, on a terminal only: how far a long step is, how fast it goes, and how long it will take.
//!
//! The step runs on the thread that asked, as it does without a bar; another thread looks at its meter and draws.
//! Nothing is drawn for a step that is over before anybody would look.

use std::{
    io::{self, IsTerminal},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::speech;
use crate::engine::jobs::{About, Done, Hands, Job};

/// A step that is over after so many looks has no bar.
const SHORT: u32 = 4;
/// How often the meter is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

const BAR: &str = "{msg}  {wide_bar}  {bytes} / {total_bytes}  {bytes_per_sec}  {eta}";
const NO_TOTAL: &str = "{msg}  {spinner}  {bytes}  {bytes_per_sec}  {elapsed}";

/// Whether somebody looks.
pub(super) fn are_wanted() -> bool {
    io::stderr().is_terminal()
}

/// Runs each job at once, beside its bar.
pub(super) struct Bars;

impl Hands for Bars {
    fn is_free(&self) -> bool {
        true
    }

    fn start(&mut self, job: Job) -> Option<Done> {
        let about = job.about().clone();
        let (over, ended) = channel::<()>();
        // Without a thread there is no bar; the step runs all the same.
        let thread = thread::Builder::new().name("bar".to_owned());
        let drawing = thread.spawn(move || {
            let mut bar: Option<ProgressBar> = None;
            let mut looks = 0;
            while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                looks += 1;
                if looks >= SHORT {
                    bar.get_or_insert_with(|| drawn(&about)).set_position(about.meter.bytes());
                }
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        });
        let done = job.run();
        drop(over);
        if let Ok(drawing) = drawing {
            let _ = drawing.join();
        }
        Some(done)
    }
}

fn drawn(about: &About) -> ProgressBar {
    let target = ProgressDrawTarget::stderr();
    let (bar, form) = match about.total {
        0 => (ProgressBar::with_draw_target(None, target), NO_TOTAL),
        total => (ProgressBar::with_draw_target(Some(total), target), BAR),
    };
    let batch = about.batch.map(|batch| batch.to_string());
    let of = batch.or_else(|| about.order.map(|order| order.to_string())).unwrap_or_default();
    // A form that the library does not take leaves its own.
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar.with_message(format!("{}  {of}", speech::word(about.step)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_bars_are_such() {
        for form in [BAR, NO_TOTAL] {
            assert!(ProgressStyle::with_template(form).is_ok(), "{form}");
        }
    }
}
