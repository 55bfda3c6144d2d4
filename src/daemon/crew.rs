//! The agent's threads, each of them waited for before the process ends.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, Builder, JoinHandle},
    time::Duration,
};

use crate::domain::limits;

/// Starts threads, and knows those that still run.
///
/// OpenSSL frees what it holds when the process exits, and what a thread holds when that thread ends: where both
/// happen at one time, it is freed twice, and the process dies after an orderly end. So the process waits for whoever
/// may have opened a vault. Who hangs holds it up only for so long, and ends nothing meanwhile.
#[derive(Clone, Debug, Default)]
pub(super) struct Crew(Arc<Mutex<Vec<JoinHandle<()>>>>);

impl Crew {
    /// Starts a thread.
    ///
    /// # Errors
    /// The system has none left.
    pub(super) fn start(
        &self,
        name: impl Into<String>,
        run: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let thread = Builder::new().name(name.into()).spawn(run)?;
        let mut running = self.running();
        running.push(thread);
        drop_ended(&mut running);
        Ok(())
    }

    /// Waits until all have ended, for a few seconds at most.
    pub(super) fn wait(&self) {
        for _ in 0..limits::THREADS_LOOKS_MAX {
            let mut running = self.running();
            drop_ended(&mut running);
            if running.is_empty() {
                return;
            }
            drop(running);
            thread::sleep(Duration::from_millis(limits::THREADS_LOOK_MS));
        }
    }

    fn running(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that has finished its work may still be giving back what it holds: joining waits for that.
fn drop_ended(running: &mut Vec<JoinHandle<()>>) {
    for ended in running.extract_if(.., |thread| thread.is_finished()) {
        let _ = ended.join();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::mpsc;

    use super::*;

    #[test]
    fn who_has_ended_is_forgotten_and_who_runs_is_waited_for() {
        let crew = Crew::default();
        let (end, ended) = mpsc::channel::<()>();
        crew.start("short", || ()).unwrap();
        // Its own start may have found it ended already.
        while crew.running().first().is_some_and(|thread| !thread.is_finished()) {
            thread::yield_now();
        }
        let (over, seen) = mpsc::channel();
        crew.start("long", move || {
            let _ = ended.recv();
            thread::sleep(Duration::from_millis(50));
            let _ = over.send(());
        })
        .unwrap();
        assert_eq!(crew.running().len(), 1);
        drop(end);
        crew.wait();
        seen.try_recv().unwrap();
        assert!(crew.running().is_empty());
    }
}
