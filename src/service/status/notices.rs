//! What notices need of the page, and notices that could not be sent for a day.

use super::{AlarmCode, Given, Task, alarms::Found, tasks};
use crate::{
    domain::limits,
    service::{Result, Service},
};

/// What of it must not go on unseen.
pub(super) fn alarms(given: &Given<'_>, found: &mut Found) {
    for waits in given.unsent {
        let over = waits.since.plus_seconds(limits::NOTICE_UNSENT_SECONDS) <= given.now;
        if !over {
            continue;
        }
        let why = waits.code.map(|code| code.word().to_owned());
        for _ in 0..waits.count {
            let about = Some(waits.channel.word());
            found.add(AlarmCode::NoticeUnsent, about, Some(waits.since), why.clone());
        }
    }
}

impl Service {
    /// Every act that is missing, uncut.
    pub(in crate::service) fn open_tasks(&mut self) -> Result<Vec<Task>> {
        self.given(|given| tasks::of(&given))
    }
}
