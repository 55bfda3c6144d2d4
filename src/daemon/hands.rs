//! Threads for long steps: as many as `workers:` says, each with one job at a time.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
};

use super::{crew::Crew, writer::Message};
use crate::engine::jobs::{Done, Hands, Job};

/// The threads, as the engine sees them.
pub(super) struct Threads {
    jobs: Sender<Job>,
    size: usize,
    busy: Arc<AtomicUsize>,
}

impl Threads {
    /// Starts `size` threads; what they finish comes back as messages.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub(super) fn start(size: usize, back: &Sender<Message>, crew: &Crew) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let busy = Arc::new(AtomicUsize::new(0));
        for n in 0..size {
            let (queue, busy, back) = (Arc::clone(&queue), Arc::clone(&busy), back.clone());
            let name = format!("worker-{n}");
            crew.start(name, move || work(&queue, &busy, &back))?;
        }
        Ok(Self { jobs, size, busy })
    }
}

impl Hands for Threads {
    fn is_free(&self) -> bool {
        self.busy.load(Ordering::SeqCst) < self.size
    }

    fn start(&mut self, job: Job) -> Option<Done> {
        self.busy.fetch_add(1, Ordering::SeqCst);
        match self.jobs.send(job) {
            Ok(()) => None,
            // No thread is left: it is run here rather than not at all.
            Err(mpsc::SendError(job)) => {
                let done = job.run();
                self.busy.fetch_sub(1, Ordering::SeqCst);
                Some(done)
            }
        }
    }
}

fn work(queue: &Mutex<Receiver<Job>>, busy: &AtomicUsize, back: &Sender<Message>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        let done = job.run();
        busy.fetch_sub(1, Ordering::SeqCst);
        if back.send(Message::Done(done)).is_err() {
            return;
        }
    }
}
